"""p(x|z): a decoder's output goes in, a distribution over pixels comes out.

A likelihood says with ``outputs(channels)`` how many maps the decoder has to make for it.
``forward(parameters, fit_to)`` takes the images as ``fit_to`` while training, for the likelihood
whose scale has a closed form. The others ignore it.
"""

import math

import torch
from torch import Tensor, nn

from vaesearch.errors import InputError
from vaesearch.models.pixels import (
    HALF_STEP,
    BernoulliPixels,
    DiscretizedNormalPixels,
    NormalPixels,
    PixelDistribution,
)

# A scale below half a level cannot be told from it by 8-bit pixels, and lets densities explode.
MIN_LOG_VARIANCE = 2 * math.log(HALF_STEP)


class Likelihood(nn.Module):
    """What a VAE asks of a likelihood."""

    def outputs(self, channels: int) -> int:
        """Maps that the decoder makes for images of so many channels; one each by default."""
        return channels

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> PixelDistribution:
        """p(x|z) from the decoder's ``[B, outputs, H, W]``."""
        raise NotImplementedError

    def end_epoch(self, loss: float) -> None:
        """Told the mean training loss in nats, for a likelihood that is trained in stages."""


class BernoulliLikelihood(Likelihood):
    """Independent Bernoulli pixels; on grey values, relaxed as in the original report."""

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> BernoulliPixels:
        """p(x|z) with ``parameters`` as logits."""
        return BernoulliPixels(parameters.float())


class GaussianLikelihood(Likelihood):
    """Normal density with one variance for all pixels (Lin et al. 2019).

    Args:
        variance: ``optimal``: in training the mean squared error of the batch, which maximises the
            likelihood in closed form (their eq. 9; Rybkin et al. 2021), and its running average
            in evaluation. ``learned``: a parameter. A number: fixed.

    Raises:
        InputError: none of these, or a number that is not above 0.
    """

    momentum = 0.1
    log_variance: Tensor
    batches: Tensor

    def __init__(self, variance: str | float = "optimal") -> None:
        super().__init__()
        if isinstance(variance, str) and variance not in ("optimal", "learned"):
            raise InputError(
                f"gaussian:{variance}: the variance is 'optimal', 'learned' or a number."
            )
        if not isinstance(variance, str) and not (math.isfinite(variance) and variance > 0):
            raise InputError(f"gaussian:{variance}: the variance must be above 0.")
        self.is_optimal = variance == "optimal"
        start = torch.tensor(0.0 if isinstance(variance, str) else math.log(variance))
        if variance == "learned":
            self.register_parameter("log_variance", nn.Parameter(start))
        else:
            self.register_buffer("log_variance", start)
        self.register_buffer("batches", torch.tensor(0.0))

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> NormalPixels:
        """p(x|z) with the sigmoid of ``parameters`` as mean."""
        mean = torch.sigmoid(parameters.float())
        log_variance = self.log_variance
        if self.is_optimal and self.training and fit_to is not None:
            log_variance = self._fit((fit_to - mean).square().mean())
        return NormalPixels(mean, log_variance.clamp_min(MIN_LOG_VARIANCE))

    def _fit(self, mse: Tensor) -> Tensor:
        """The optimum, which needs no gradient: the objective is flat in it."""
        # The floor keeps the minus infinity of an error of 0 out of the average for good.
        optimum = mse.detach().log().clamp_min(MIN_LOG_VARIANCE)
        self.batches += 1
        weight = (1 / self.batches).clamp_min(self.momentum)
        self.log_variance.lerp_(optimum, weight)
        return optimum


class DiscretizedNormalLikelihood(Likelihood):
    """Normal integrated over each 8-bit level's cell, with one learned scale.

    A probability mass, so its nats are bits/dim times ``D ln 2``. The mean is not confined to
    [0, 1]: beyond the ends it puts all mass on black or white.
    """

    def __init__(self) -> None:
        super().__init__()
        # From a scale of 1, as Lin et al. do: from a sharp one the first steps are so large that
        # deep decoders do not recover.
        self.log_variance = nn.Parameter(torch.tensor(0.0))

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> DiscretizedNormalPixels:
        """p(x|z) with ``parameters`` around mid-grey as mean."""
        log_variance = self.log_variance.clamp_min(MIN_LOG_VARIANCE)
        return DiscretizedNormalPixels(0.5 + parameters.float(), log_variance)
