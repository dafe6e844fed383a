"""The posterior of learning curves: exactness, invariance, calibration, and awkward curves."""

import numpy as np
import pytest
from dense import dense, prior_weight
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vaesearch.bandits.basis import MODELS, RISES, ROUGHNESS, design
from vaesearch.bandits.curves import (
    DECLINE,
    LEAST_NOISE,
    NOISE_SHAPE,
    Curves,
    Prior,
    fit,
    pooled_prior,
)
from vaesearch.bandits.projection import Projection
from vaesearch.bandits.synthetic import FAMILIES

PRIOR = Prior(level=0.3, scale=0.5, spread=3.0, gains=np.linspace(0.7, 1.4, RISES), noise=0.03)
CURVE = [0.2, 0.5, 0.55, 0.7, 0.72, 0.69, 0.8]
LISTS = st.lists(st.floats(-10, 10), min_size=1, max_size=12)


def exponential(final, gain, time, epochs, noise=0.0, seed=0):
    curve = final - gain * np.exp(-np.arange(epochs) / time)
    return curve + np.random.default_rng(seed).normal(0, noise, epochs)


def predicted(posterior, epoch):
    """Mixtures of y without noise at ``epoch`` of every arm."""
    arms = len(posterior.epochs)
    names = tuple(f"{i:03d}" for i in range(arms))
    return Projection(names, posterior, *posterior.at(np.full(arms, float(epoch))))


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("later", [8, 40])
def test_posterior_equals_a_direct_computation(count, later):
    ours = fit(Curves.of([CURVE[:count]]), PRIOR)
    exact = [dense(model, CURVE[:count], PRIOR, [later]) for model in range(MODELS)]
    evidence = np.array([d.evidence for d in exact])
    np.testing.assert_allclose(ours.weights[0], evidence / evidence.sum(), rtol=1e-6)
    np.testing.assert_allclose(ours.sigmas[0], [d.sigma for d in exact], rtol=1e-6)
    coefficients = np.array([d.coefficients for d in exact])
    np.testing.assert_allclose(ours.means[0], coefficients, rtol=1e-6, atol=1e-8)
    means, scales = ours.at(np.array([float(later)]))
    np.testing.assert_allclose(means[0], [d.mean[0] for d in exact], rtol=1e-6)
    deviations = np.sqrt([d.covariance[0, 0] for d in exact])
    np.testing.assert_allclose(scales[0], deviations, rtol=1e-6)


def test_a_long_curve_equals_a_direct_computation():
    """Running sums and cofactors lose no digits that matter over 150 epochs."""
    curve = exponential(1.0, 0.6, 20.0, 150, 0.01)
    ours = fit(Curves.of([curve]), PRIOR)
    means, scales = ours.at(np.array([200.0]))
    for model in (0, 12, MODELS - 1):
        exact = dense(model, curve, PRIOR, [200])
        assert means[0, model] == pytest.approx(exact.mean[0], abs=1e-6)
        assert scales[0, model] == pytest.approx(np.sqrt(exact.covariance[0, 0]), rel=1e-6)


def test_arms_fitted_at_once_equal_each_alone():
    arms = [CURVE, CURVE[:1], exponential(1, 2, 5.0, 90).tolist(), CURVE[2:]]
    together = fit(Curves.of(arms), PRIOR)
    epochs = np.array([30.0, 20.0, 95.0, 5.0])
    means, scales = together.at(epochs)
    for place, arm in enumerate(arms):
        alone = fit(Curves.of([arm]), PRIOR)
        np.testing.assert_allclose(together.weights[place], alone.weights[0], rtol=1e-9)
        mean, scale = alone.at(epochs[[place]])
        np.testing.assert_allclose(means[place], mean[0], rtol=1e-9)
        np.testing.assert_allclose(scales[place], scale[0], rtol=1e-9)
        assert together.best[place] == alone.best[0]


@settings(deadline=None)
@given(
    arms=st.lists(LISTS, min_size=1, max_size=4),
    shift=st.integers(-1000, 1000),
    power=st.integers(-20, 20),
)
def test_a_constant_or_a_factor_changes_nothing(arms, shift, power):
    """Rewards are multiples of 2^-20 here, so that neither of the two rounds them."""
    arms = [[round(r * 2**20) / 2**20 for r in arm] for arm in arms]
    plain = fit(Curves.of(arms))
    moved = fit(Curves.of([[2.0**power * (r + shift) for r in arm] for arm in arms]))
    if plain.prior.scale < 1e-3:
        return  # (almost) constant rewards: the scale is a share of the level itself
    np.testing.assert_allclose(moved.weights, plain.weights, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(moved.sigmas, plain.sigmas, rtol=1e-6)
    later = plain.epochs + 20.0
    for ours, theirs in zip(moved.at(later), plain.at(later), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    assert moved.rewards(1.0) == pytest.approx(2.0**power * (plain.rewards(1.0) + shift))


def test_permuting_arms_permutes_the_posterior():
    arms = [exponential(-3 + i / 9, 1.0, 2.0 + i, 4 + 3 * i, 0.01, i).tolist() for i in range(6)]
    order = np.array([3, 0, 5, 2, 1, 4])
    plain, moved = fit(Curves.of(arms)), fit(Curves.of([arms[i] for i in order]))
    np.testing.assert_allclose(moved.weights, plain.weights[order], rtol=1e-12)
    np.testing.assert_allclose(
        moved.at(plain.epochs[order] + 9.0)[0], plain.at(plain.epochs + 9.0)[0][order], rtol=1e-12
    )


@pytest.mark.parametrize(
    "arms",
    [
        [[0.0]],
        [[-3.0] * 5, [-4.0]],
        [[0.0] * 300],
        [[1e9]],
        [[1e9, 1e9 + 1], [1e9 - 1] * 3],
        [[1e-300, 2e-300]],
        [[1.0, 2.0, 3.0], [1.0, -1e12, -1e15]],
        [list(np.linspace(0, 1, 300)), [0.5]],
        [list(np.random.default_rng(0).standard_cauchy(200))] * 3,
    ],
)
def test_awkward_curves_have_a_finite_posterior(arms):
    posterior = fit(Curves.of(arms))
    for ahead in (0.0, 1.0, 300.0):
        means, scales = posterior.at(posterior.epochs + ahead)
        assert np.isfinite(means).all()
        assert np.isfinite(scales).all()
        assert (scales > 0).all()
    np.testing.assert_allclose(posterior.weights.sum(axis=1), 1)


def drawn(rng, epochs):
    """A curve with and without noise, from the model and ``PRIOR`` itself."""
    weights = [prior_weight(model) for model in range(MODELS)]
    model = rng.choice(MODELS, p=weights)
    sigma = np.sqrt(stats.invgamma(NOISE_SHAPE, scale=NOISE_SHAPE * PRIOR.noise**2).rvs(
        random_state=rng))  # fmt: skip
    gain, decline = PRIOR.gains[model % RISES], DECLINE if model >= RISES else 0.0
    deviations = np.array([PRIOR.spread, gain, decline or 1e-5])
    centre = np.array([0.0, gain, decline])
    theta = centre + sigma / PRIOR.noise * deviations * rng.standard_normal(3)
    steps = np.sqrt(np.diff(np.log(np.arange(1.0, epochs + 1)), prepend=0.0))
    wander = sigma * ROUGHNESS * np.cumsum(steps * rng.standard_normal(epochs))
    truth = design(np.arange(1.0, epochs + 1))[:, model] @ theta + wander
    truth, noise = PRIOR.scale * truth + PRIOR.level, PRIOR.scale * sigma
    return truth, truth + noise * rng.standard_normal(epochs)


@pytest.mark.parametrize("seen", [2, 6, 20])
def test_curves_from_the_model_itself_are_predicted_with_the_right_probabilities(seen):
    """The probability of a value below the truth is uniform; Kolmogorov-Smirnov, 500 curves."""
    rng = np.random.default_rng(5)
    truth, rewards = map(np.array, zip(*(drawn(rng, 50) for _ in range(500)), strict=True))
    mixture = predicted(fit(Curves.of(rewards[:, :seen].tolist()), PRIOR), 50)
    levels = mixture.below((truth[:, -1] - PRIOR.level) / PRIOR.scale)
    assert stats.kstest(levels, "uniform").pvalue > 0.01
    assert 0.86 <= np.mean((levels > 0.05) & (levels < 0.95)) <= 0.94


@pytest.mark.parametrize("family", ["fast", "power", "crossing"])
@pytest.mark.parametrize("seen", [5, 15])
def test_intervals_cover_curves_of_other_families(family, seen):
    """90 % intervals at epoch 50, of 60 sets of 5 arms with the prior pooled from each set."""
    inside = []
    for seed in range(60):
        curves = FAMILIES[family].draw(seed, 5, 50)
        posterior = fit(Curves.of(curves.rewards[:, :seen].tolist()))
        truth = (curves.truth[:, -1] - posterior.prior.level) / posterior.prior.scale
        levels = predicted(posterior, 50).below(truth)
        inside.extend((levels > 0.05) & (levels < 0.95))
    assert np.mean(inside) >= 0.85


@pytest.mark.parametrize(
    ("curve", "seen"),
    [
        (exponential(-3.0, 1.0, 5.0, 60, 0.003), 15),
        (-3.0 - 0.8 * np.arange(1.0, 61) ** -0.8 + exponential(0, 0, 1, 60, 0.003), 12),
    ],
)
def test_an_exponential_and_a_power_curve_are_predicted_closely(curve, seen):
    posterior = fit(Curves.of([curve[:seen].tolist()]))
    end = predicted(posterior, 60)
    middle = float(posterior.rewards(np.sum(posterior.weights * end.means)))
    assert middle == pytest.approx(curve[-1], abs=0.05)
    assert posterior.prior.scale * end.spread()[0] < 0.1


def test_more_epochs_narrow_the_posterior():
    curve = exponential(-3.0, 1.0, 8.0, 60, 0.01).tolist()
    pool = exponential(-3.2, 1.0, 5.0, 60, 0.01, 1).tolist()
    spreads = [
        predicted(fit(Curves.of([curve[:seen], pool])), 60).spread()[0]
        for seen in (1, 3, 6, 12, 25, 50)
    ]
    assert (np.diff(spreads) < 0).all()
    assert spreads[-1] < 0.15 * spreads[1]


def test_a_pooled_prior_says_what_a_newcomer_may_gain():
    """Arms that all gained about 1 in 15 epochs: one at its first epoch will, give or take."""
    pool = [exponential(-3.0 + i / 10, 1.0, 4.0, 15, 0.01, i).tolist() for i in range(4)]
    posterior = fit(Curves.of([*pool, [-4.0]]))
    low, high = (posterior.rewards(predicted(posterior, 15).quantile(q))[-1] for q in (0.05, 0.95))
    assert low < -3.0 < high
    assert high - low < 4


def test_typical_noise_ignores_the_trend():
    curves = [exponential(0.0, 5.0, 10.0, 60, 0.05, seed).tolist() for seed in range(20)]
    prior = pooled_prior(Curves.of(curves))
    assert prior.noise * prior.scale == pytest.approx(0.05, rel=0.2)


def test_typical_noise_is_a_median_over_arms_of_medians():
    rng = np.random.default_rng(3)
    curves = [np.cumsum(rng.normal(size=n)).tolist() for n in (3, 9, 10, 11, 16, 17, 18, 40)]
    prior = pooled_prior(Curves.of(curves))
    bends = [np.median(np.abs(np.diff(c[-17:], 2))) for c in curves if len(c) >= 10]
    expected = np.median(bends) / (stats.norm.ppf(0.75) * np.sqrt(6)) / prior.scale
    assert prior.noise == pytest.approx(expected, rel=1e-4)


def test_noiseless_curves_keep_some_noise():
    assert pooled_prior(Curves.of([np.linspace(0, 1, 20).tolist()])).noise == LEAST_NOISE


def test_side_by_side():
    curves = Curves.of([(1.0, 2.0, 3.0), (4.0,)])
    np.testing.assert_array_equal(curves.rewards, [[1, 2, 3], [4, 0, 0]])
    np.testing.assert_array_equal(curves.seen, [[True] * 3, [True, False, False]])
