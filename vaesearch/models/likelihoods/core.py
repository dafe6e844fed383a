"""What a VAE asks of a likelihood, and how scales are kept within reason."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaesearch.models.pixels import HALF_STEP, PixelDistribution

# A scale below half a level cannot be told from it by 8-bit pixels, and lets densities explode.
MIN_LOG_VARIANCE = 2 * math.log(HALF_STEP)
# Wide enough to be as good as flat on [0, 1], and far from where float32 ends.
MAX_LOG_VARIANCE = 10.0


class Likelihood(nn.Module):
    """What a VAE asks of a likelihood.

    Attributes:
        predicts_spread: whether the decoder says how far off it expects each pixel to be, so that
            a map of its uncertainty is worth looking at.
    """

    predicts_spread = False

    def outputs(self, channels: int) -> int:
        """Maps that the decoder makes for images of so many channels; one each by default."""
        return channels

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> PixelDistribution:
        """p(x|z) from the decoder's ``[B, outputs, H, W]``."""
        raise NotImplementedError

    def end_epoch(self, loss: float) -> None:
        """Told the mean training loss in nats, for a likelihood that is trained in stages."""


def soft_floor(x: Tensor, low: float) -> Tensor:
    """``x`` where that is well above ``low``, never below it, and nowhere flat."""
    result: Tensor = _SoftFloor.apply(x, low)
    return result


class _SoftFloor(torch.autograd.Function):
    """low + softplus(x - low), with few passes over memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float) -> Tensor:
        above = x - low
        ctx.save_for_backward(above)
        return F.softplus(above).add_(low)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (above,) = ctx.saved_tensors
        return torch.sigmoid(above).mul_(gradient), None


def pixel_log_variance(offset: Tensor, maps: Tensor) -> Tensor:
    """Logarithm of each pixel's variance, within reason.

    Args:
        offset: one number for all pixels, which learns fast.
        maps: of the decoder.
    """
    free = (offset + maps.float()).clamp_max(MAX_LOG_VARIANCE)
    return soft_floor(free, MIN_LOG_VARIANCE)
