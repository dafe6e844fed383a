"""Drawn futures against the mixture that they are drawn from."""

import numpy as np
import pytest
from dense import dense

from vaesearch.bandits.basis import MODELS, RISES
from vaesearch.bandits.curves import Curves, Prior, fit
from vaesearch.bandits.futures import draw_futures

PRIOR = Prior(level=0.3, scale=0.5, spread=3.0, gains=np.linspace(0.7, 1.4, RISES), noise=0.03)
CURVE = [0.2, 0.5, 0.55, 0.7, 0.72, 0.69, 0.8]
COUNT = 20_000


@pytest.fixture(scope="module", params=[1, 7])
def drawn(request):
    """Rewards so far and their futures over 30 epochs."""
    rewards = CURVE[: request.param]
    return rewards, draw_futures(rewards, 30, PRIOR, COUNT, np.random.default_rng(0))


@pytest.mark.parametrize("ahead", [1, 5, 30])
def test_marginals_are_those_of_the_posterior(drawn, ahead):
    rewards, futures = drawn
    assert futures.shape == (COUNT, 30)
    posterior = fit(Curves.of([rewards]), PRIOR)
    means, scales = posterior.at(np.array([float(len(rewards) + ahead)]))
    weights = posterior.weights[0]
    mean = weights @ means[0]
    deviation = np.sqrt(weights @ (scales[0] ** 2 + (means[0] - mean) ** 2))
    found = (futures[:, ahead - 1] - PRIOR.level) / PRIOR.scale
    assert found.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(COUNT))
    # Tails are heavier than those of a normal, so the deviation is known less exactly.
    assert found.std() == pytest.approx(deviation, rel=0.05)


def test_epochs_covary_as_in_the_model():
    """Covariances of three epochs, by the joint normals of all models."""
    later = [8, 12, 37]
    exact = [dense(model, CURVE, PRIOR, later) for model in range(MODELS)]
    weights = np.array([d.evidence for d in exact])
    weights /= weights.sum()
    means = np.array([d.mean for d in exact])
    off = means - weights @ means
    covariance = np.einsum("m,mij->ij", weights, [d.covariance for d in exact])
    covariance += np.einsum("m,mi,mj->ij", weights, off, off)
    futures = draw_futures(CURVE, 30, PRIOR, COUNT, np.random.default_rng(1))
    found = np.cov((futures[:, [0, 4, 29]] - PRIOR.level).T / PRIOR.scale)
    deviations = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(
        found / np.outer(deviations, deviations),
        covariance / np.outer(deviations, deviations),
        atol=0.06,
    )


def test_paths_go_on_from_where_the_curve_is():
    """The next epoch is nearly known, and every step is small beside the way of 30 epochs."""
    futures = draw_futures(CURVE, 30, PRIOR, COUNT, np.random.default_rng(2))
    now = fit(Curves.of([CURVE]), PRIOR)
    here = PRIOR.level + PRIOR.scale * float(now.weights[0] @ now.at(np.array([7.0]))[0][0])
    assert abs(futures[:, 0].mean() - here) < 0.05
    assert futures[:, 0].std() < 0.3 * futures[:, -1].std()
    steps = np.diff(futures, axis=1)
    assert steps.std(axis=0).max() < futures[:, 0].std()
    assert (np.diff(futures.std(axis=0)) > 0).all()


def test_seeds_decide():
    first, again, other = (
        draw_futures(CURVE, 4, PRIOR, 3, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


@pytest.mark.parametrize("rewards", [[1e9], [0.0] * 300, list(np.linspace(0, 1, 300))])
def test_awkward_curves_have_futures(rewards):
    prior = fit(Curves.of([rewards])).prior
    futures = draw_futures(rewards, 5, prior, 20, np.random.default_rng(0))
    assert np.isfinite(futures).all()
