"""Likelihoods whose support is where pixels are: two values, or the interval between them."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaesearch.models.likelihoods.core import Likelihood, soft_floor
from vaesearch.models.pixels import BernoulliPixels, BetaPixels, ContinuousBernoulliPixels

MAX_LOGIT = 16.0  # of a continuous Bernoulli's lambda
# Of a Beta density: nothing narrower than some two levels, and parameters that float32 can tell
# apart from their sum.
MAX_LOG_CONCENTRATION = 8.0
MIN_LOG_PARAMETER = -5.0


class BernoulliLikelihood(Likelihood):
    """Independent Bernoulli pixels; on grey values, relaxed as in the original report."""

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> BernoulliPixels:
        """p(x|z) with ``parameters`` as logits."""
        return BernoulliPixels(parameters.float())


class ContinuousBernoulliLikelihood(Likelihood):
    """What the relaxed Bernoulli is once it is normalised (Loaiza-Ganem & Cunningham 2019).

    Its density at 0 has no bound as lambda goes to 0, and pixels that are always black drive it
    there. So the logit is bounded smoothly, about where lambda ends in single precision; with more
    room there are fewer bits/dim, and soon also reconstructions that are worse.
    """

    def forward(
        self, parameters: Tensor, fit_to: Tensor | None = None
    ) -> ContinuousBernoulliPixels:
        """p(x|z) with ``parameters`` as logits of lambda."""
        # A hyperbolic tangent, by the function that is fast.
        bounded = torch.sigmoid(parameters.float() * (2 / MAX_LOGIT))
        return ContinuousBernoulliPixels(2 * MAX_LOGIT * (bounded - 0.5))


class BetaLikelihood(Likelihood):
    """Beta densities, with mean and concentration of each pixel from the decoder.

    Bits/dim are an upper bound: the expectation over levels spread evenly over their cells.
    """

    predicts_spread = True

    def __init__(self) -> None:
        super().__init__()
        self.log_concentration = nn.Parameter(torch.tensor(math.log(2)))  # flat, at mid-grey

    def outputs(self, channels: int) -> int:
        """A mean and a concentration for each channel."""
        return 2 * channels

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> BetaPixels:
        """p(x|z) with the first half of ``parameters`` as logits of the mean."""
        logits, maps = parameters.float().chunk(2, dim=1)
        free = (self.log_concentration + maps).clamp_max(MAX_LOG_CONCENTRATION)
        alpha = soft_floor(free + F.logsigmoid(logits), MIN_LOG_PARAMETER).exp()
        beta = soft_floor(free + F.logsigmoid(-logits), MIN_LOG_PARAMETER).exp()
        return BetaPixels(alpha, beta)
