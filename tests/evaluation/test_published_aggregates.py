"""What the papers report of aggregate posteriors and of many samples, on real digits.

See the figures with ``--log-cli-level=INFO``.
"""

import logging
from itertools import pairwise

import pytest
import torch
from digits import binarized, load_digits, trained

from vaesearch.evaluation import divergence, fit_aggregate, iwae

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
VARIANCES = (1, 0.5, "learned", 0.01)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def models(digits):
    """With a latent plane, from the widest likelihood to the sharpest."""
    return {
        variance: trained(digits[0], epochs=30, likelihood=f"gaussian:{variance}", prior="gmm:32")
        for variance in VARIANCES
    }


def test_sharper_likelihoods_take_codes_further_from_the_prior(digits, models):
    """Lin et al. 2019, table 1: .094, .132, .422, 1.552 on the full set."""
    found = []
    for variance, model in models.items():
        figures = divergence(fit_aggregate(model, digits[0], 0), model, 0)
        LOG.info("variance %s: %s", variance, figures)
        found.append(figures)
    for wide, sharp in pairwise(found):
        gain = sharp["aggregate_kl"] - wide["aggregate_kl"]
        assert gain > 3 * (wide["aggregate_kl_error"] + sharp["aggregate_kl_error"])


def test_mixture_prior_is_a_better_bound_on_held_out_images(digits, models):
    """Lin et al. 2019, table 3; the mixture has seen codes of training images only."""
    x = digits[1][:500].float() / 255
    gains = {}
    for variance, model in models.items():
        mixture = fit_aggregate(model, digits[0], 0)
        plain, under = (
            iwae(model, x, torch.Generator().manual_seed(0), 20, prior=prior).mean().item()
            for prior in (None, mixture)
        )
        LOG.info("variance %s: %.2f under N(0, I), %.2f under the mixture", variance, plain, under)
        gains[variance] = under - plain
    assert all(gain >= 0 for gain in gains.values())
    assert gains[0.01] > gains[1]


def test_bounds_with_more_samples_are_tighter(digits):
    """Burda et al. 2016, on binary digits with 20 latents."""
    train, test = (binarized(images) for images in digits)
    model = trained(train, epochs=20, likelihood="bernoulli", latent_dim=20)
    x = test[:300].float() / 255
    bounds = [iwae(model, x, torch.Generator().manual_seed(k), k) for k in (1, 10, 100, 1000)]
    LOG.info("1, 10, 100 and 1000 samples: %s", [b.mean().item() for b in bounds])
    for looser, tighter in pairwise(bounds):
        gain = tighter - looser
        assert gain.mean() > -3 * gain.std() / len(x) ** 0.5
    assert bounds[-1].mean() > bounds[0].mean() + 3
