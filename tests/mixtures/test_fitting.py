"""A known mixture of three Gaussians: its number, its entropy, and fits that fail."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from vaesearch.errors import InputError
from vaesearch.mixtures import fitting
from vaesearch.mixtures.asking import Asked
from vaesearch.mixtures.fitting import Fitter
from vaesearch.mixtures.planning import best_of, carry_out
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.priors import StandardNormal
from vaesearch.search.mixtures import Basis

CENTRES = [[8.0, 0.0], [-8.0, 0.0], [0.0, 9.0]]
VARIANCE = 0.25
# Centres are 16 standard deviations apart, so which one a code is of is known from the code.
ENTROPY = math.log(3) + math.log(2 * math.pi * math.e * VARIANCE)


class Known(nn.Module):
    """Encodes an image around the centre that its grey level stands for."""

    def __init__(self, variance=VARIANCE):
        super().__init__()
        self.centres = nn.Parameter(torch.tensor(CENTRES))
        self.variance = variance
        self.encoded = 0

    def encode(self, x):
        self.encoded += len(x)
        mean = self.centres.detach()[x.flatten(1)[:, 0].mul(255).round().long()]
        return DiagonalGaussian(mean, torch.full_like(mean, self.variance).log())

    def latent_prior(self):
        return StandardNormal(2)


def images(count, seed):
    levels = np.random.default_rng(seed).integers(0, 3, count, np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, 1, 2, 2))


def fitter(model=None, train=3000, seed=0, known=None):
    basis = Basis("digest", "data", seed, train, 1500, "0.1.0")
    kept = {} if known is None else known
    keep = lambda fit: kept.__setitem__(fit.components, fit)  # noqa: E731
    made = model or Known()
    return Fitter(lambda: made, images(train, 1), images(1500, 2), basis, None, kept.get, keep)


@pytest.mark.parametrize("by", ["loglik", "bic"])
@pytest.mark.parametrize("seed", [0, 1])
def test_three_gaussians_are_found(by, seed):
    scored = carry_out(Asked(tuple(range(1, 9)), by=by), seed, fitter(seed=seed).make)
    best, smallest = best_of(scored, by)
    if by == "bic":
        assert best == 3
    # More than three fit almost as well; fewer do not.
    assert (smallest or best) == 3
    assert scored[2].figures["loglik"].value < scored[3].figures["loglik"].value - 0.3


def test_the_log_density_is_the_entropy():
    figures = fitter().make(3, False).figures
    for name in ("loglik", "train_loglik"):
        found = figures[name]
        assert abs(found.value + ENTROPY) < 3 * found.error
        assert found.error < 0.03
    # By hand: q is three Gaussians that do not overlap, p is N(0, I).
    squares = np.mean(np.sum(np.square(CENTRES), axis=1)) + 2 * VARIANCE
    kl = -ENTROPY + math.log(2 * math.pi) + squares / 2
    assert abs(figures["aggregate_kl"].value - kl) < 4 * figures["aggregate_kl"].error + 0.2


def test_bic_is_that_of_scikit_learn():
    from sklearn.mixture import GaussianMixture

    one = fitter()
    fit = one.make(2, False)
    codes = one.codes[0].numpy()
    other = GaussianMixture(2, reg_covar=1e-4, random_state=0).fit(codes)
    # Which two of the three are taken together is a matter of the start.
    model = one.mixture(2)
    other.weights_, other.means_ = model.weights.numpy(), model.means.numpy()
    other.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(model.covariances.numpy()))
    assert fit.figures["bic"].value == pytest.approx(other.bic(codes), rel=1e-6)


def test_images_are_encoded_once():
    model = Known()
    one = fitter(model)
    for components in (1, 2, 3, 4):
        one.make(components, False)
    assert model.encoded == 3000 + 1500


def test_what_is_known_is_not_fitted_again():
    known = {}
    first = fitter(known=known).make(3, False)
    model = Known()
    assert fitter(model, known=known).make(3, False) == first
    assert model.encoded == 0


def test_the_same_seed_gives_the_same_figures():
    first, again, other = (fitter(seed=seed).make(3, False).figures for seed in (0, 0, 1))
    assert first == again
    assert first["loglik"] != other["loglik"]


def test_a_fit_that_fails_is_kept_as_failed(monkeypatch):
    fit = fitter(train=5).make(7, False)
    assert "n_samples" in fit.failed
    assert fit.figures == {}

    def singular(*_):
        raise ValueError("Fitting failed because of ill-defined covariance. Try something.")

    monkeypatch.setattr(fitting, "fit_codes", singular)
    assert fitter().make(2, False).failed == "Fitting failed because of ill-defined covariance"


def test_components_without_codes_are_a_failure():
    fit = fitter(Known(variance=1e-12), train=60).make(12, False)
    assert "components have no code" in fit.failed


def test_codes_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match="the model has diverged"):
        fitter(Known(variance=math.inf)).make(1, False)
