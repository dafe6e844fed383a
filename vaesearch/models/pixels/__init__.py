"""Distributions over pixels, with log-probabilities in nats per image.

``torch.distributions`` is the oracle in the tests; these add what it lacks: sampling from a given
generator, and the probability *mass* of 8-bit pixels, which makes likelihoods comparable.
Pixels are floats ``x = k / 255`` for the level ``k`` in 0..255.
"""

from vaesearch.models.pixels.beta import BetaPixels
from vaesearch.models.pixels.continuous_bernoulli import ContinuousBernoulliPixels
from vaesearch.models.pixels.core import HALF_STEP, LEVELS, PixelDistribution
from vaesearch.models.pixels.counts import BernoulliPixels, BinomialPixels
from vaesearch.models.pixels.logistic import DiscretizedLogisticPixels, LaplacePixels
from vaesearch.models.pixels.mixture import LogisticMixturePixels
from vaesearch.models.pixels.normal import (
    DiscretizedNormalPixels,
    NormalPixels,
    PixelwiseNormalPixels,
)

__all__ = [
    "HALF_STEP", "LEVELS", "BernoulliPixels", "BetaPixels", "BinomialPixels",
    "ContinuousBernoulliPixels", "DiscretizedLogisticPixels", "DiscretizedNormalPixels",
    "LaplacePixels", "LogisticMixturePixels", "NormalPixels", "PixelDistribution",
    "PixelwiseNormalPixels",
]  # fmt: skip
