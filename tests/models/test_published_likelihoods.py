"""What the papers report of decoding distributions, on real digits, with a latent size of 16.

See the figures with ``--log-cli-level=INFO``.
"""

import logging
import math

import numpy as np
import pytest
import torch
from digits import load_digits, trained
from scipy.stats import spearmanr
from torch.nn import functional

from vaesearch.evaluation import appraise
from vaesearch.models.likelihoods import StagedGaussianLikelihood
from vaesearch.models.pixels import NormalPixels, PixelwiseNormalPixels

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
FIRST, SECOND = 12, 8  # epochs of each stage
STAGED = f"gaussian:pixel,first={FIRST},patience={FIRST}"


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def elbo(model, images):
    return appraise(model, images, has_mass=True)["elbo"]


@pytest.fixture(scope="module")
def after_first_stage(digits):
    """The ELBO on test images where the first stage has just ended."""
    model = trained(digits[0], epochs=FIRST, latent_dim=16, likelihood=STAGED)
    return elbo(model, digits[1])


def test_variances_per_pixel_gain_nats_and_tell_where_the_errors_are(digits, after_first_stage):
    """Lin et al. 2019: table 3, figure 3, and the bound that their own floor sets."""
    model = trained(digits[0], epochs=FIRST + SECOND, latent_dim=16, likelihood=STAGED)
    gained = elbo(model, digits[1])
    of_data = model.likelihood.log_variance.exp().item()
    ceiling = -0.5 * 784 * math.log(2 * math.pi * 0.5 * of_data)
    x = digits[1].float() / 255
    with torch.no_grad():
        pixels = model.decode(model.encode(x).mean)
    errors = (pixels.mean - x).square()
    correlations = [
        spearmanr(predicted, actual).statistic
        for predicted, actual in zip(pixels.variance.flatten(1), errors.flatten(1), strict=True)
    ]
    LOG.info("%.1f, then %.1f of at most %.1f nats", after_first_stage, gained, ceiling)
    LOG.info("rank correlations %.3f, least %.3f", np.mean(correlations), min(correlations))
    assert gained >= after_first_stage + 100
    assert gained <= ceiling
    assert pixels.variance.min().item() >= 0.5 * of_data * (1 - 1e-6)
    assert np.mean(correlations) > 0.3


def without_floor(self, parameters, fit_to=None):
    """The variance of a pixel is that of the data set times any number above 0."""
    means, maps = parameters.float().chunk(2, dim=1)
    if not self._is_per_pixel:
        return NormalPixels(torch.sigmoid(means), self.log_variance)
    of_data = self.log_variance.detach().exp()
    return PixelwiseNormalPixels(torch.sigmoid(means), functional.softplus(maps) * of_data + 1e-12)


def test_without_the_floor_test_images_cost_thousands_of_nats(digits, monkeypatch):
    """Pixels that are black in all training images get a variance of next to nothing."""
    monkeypatch.setattr(StagedGaussianLikelihood, "forward", without_floor)
    staged = "gaussian:pixel,first=8,patience=8"
    model = trained(digits[0], epochs=14, latent_dim=16, likelihood=staged)
    lost = elbo(model, digits[1])
    LOG.info("%.4g nats without the floor", lost)
    assert lost < -1e4


def test_order_of_the_likelihoods_by_bits(digits):
    """Masses first, then densities by how well they fit pixels that are black or white."""
    bits, errors = {}, {}
    for likelihood in (
        "discretized-logistic:pixel", "discretized-logistic", "discretized-normal",
        "gaussian:learned", "laplace", "continuous-bernoulli", "binomial",
    ):  # fmt: skip
        model = trained(digits[0], epochs=25, latent_dim=16, likelihood=likelihood)
        figures = appraise(model, digits[1], has_mass=True)
        bits[likelihood], errors[likelihood] = figures["bpd"], figures["mse"]
        LOG.info("%s: %s", likelihood, figures)
    order = ("discretized-normal", "gaussian:learned", "laplace", "continuous-bernoulli")
    assert [*order] == sorted(order, key=bits.__getitem__)
    assert bits["continuous-bernoulli"] < 8 < bits["binomial"]
    # No single score is the best decoder's: the fewest bits go with larger errors.
    assert bits["discretized-logistic:pixel"] < bits["gaussian:learned"]
    assert errors["discretized-logistic:pixel"] > errors["gaussian:learned"]
