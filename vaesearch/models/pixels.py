"""Distributions over pixels, with log-probabilities in nats per image.

``torch.distributions`` is the oracle in the tests; these add what it lacks: sampling from a given
generator, and the probability *mass* of 8-bit pixels, which makes likelihoods comparable.
Pixels are floats ``x = k / 255`` for the level ``k`` in 0..255.
"""

import math
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 255
HALF_STEP = 0.5 / LEVELS
_LOG_2 = math.log(2)
_LOG_2PI = math.log(2 * math.pi)
_SQRT_HALF = math.sqrt(0.5)
_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)


class PixelDistribution(Protocol):
    """p(x|z) over images ``[B, C, H, W]``.

    Attributes:
        is_mass: whether :meth:`log_prob` is :meth:`log_mass`, and need not be computed twice.
    """

    is_mass: bool

    @property
    def mean(self) -> Tensor:
        """The picture to show, in [0, 1]; ``[B, C, H, W]``."""
        ...

    def log_prob(self, x: Tensor) -> Tensor:
        """What training maximises, in nats, ``[B]``: a density or a mass."""
        ...

    def log_mass(self, x: Tensor) -> Tensor:
        """Log-probability of the pixel levels themselves, in nats, ``[B]``."""
        ...


class BernoulliPixels:
    """Independent Bernoulli pixels given their logits.

    Exact for pixels in {0, 1}. For grey values it is the relaxed cross-entropy of the original
    report, which is not a probability of them: :meth:`log_mass` holds for binary pixels only.
    """

    is_mass = True

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @property
    def mean(self) -> Tensor:
        """P(x = 1)."""
        return torch.sigmoid(self.logits)

    def log_prob(self, x: Tensor) -> Tensor:
        """Negative binary cross-entropy, summed over pixels; finite at any logit."""
        loss = F.binary_cross_entropy_with_logits(self.logits, x, reduction="none")
        return -loss.flatten(1).sum(dim=1)

    log_mass = log_prob


class NormalPixels:
    """Independent normal pixels with one variance; ``log_prob`` is a density.

    A density's nats cannot be set beside another likelihood's; :meth:`log_mass` can: it integrates
    the density over each level's cell, the two outer cells being open.
    """

    is_mass = False

    def __init__(self, mean: Tensor, log_variance: Tensor) -> None:
        self._mean = mean
        self.log_variance = log_variance

    @property
    def mean(self) -> Tensor:
        """The mean, clamped to what a screen can show."""
        return self._mean.clamp(0, 1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats, eq. 7 of Lin et al. 2019."""
        squares = (x - self._mean).square().flatten(1).sum(dim=1)
        dims = x[0].numel()
        constant = -0.5 * dims * (_LOG_2PI + self.log_variance)
        return constant - 0.5 * squares * torch.exp(-self.log_variance)

    def log_mass(self, x: Tensor) -> Tensor:
        """Log-probability of the levels in nats; sums to 1 over 0..255 in every pixel."""
        scale = torch.exp(0.5 * self.log_variance)
        return _log_cell(x, self._mean, scale).flatten(1).sum(dim=1)


class DiscretizedNormalPixels(NormalPixels):
    """Normal pixels whose mass on the 8-bit levels is also what training maximises."""

    is_mass = True

    def log_prob(self, x: Tensor) -> Tensor:
        """The same as :meth:`log_mass`."""
        return self.log_mass(x)


def _log_cell(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Log P(level) of a normal, exact in the far tails too.

    With distance d = |x - mean| / scale and half width h, a cell holds Phi(h - d) - Phi(-h - d);
    both terms are lower tails, where log_ndtr is accurate, so nothing cancels. An outer cell is
    the tail from its inner edge on.
    """
    half = HALF_STEP / scale
    centred = (x - mean) / scale
    distance = centred.abs()
    is_black, is_white = x < HALF_STEP, x > 1 - HALF_STEP
    inwards = torch.where(is_black, centred, torch.where(is_white, -centred, -distance))
    upper: Tensor = _LogNdtr.apply(inwards + half)
    lower: Tensor = _LogNdtr.apply(-half - distance)
    return torch.where(is_black | is_white, upper, upper + _log1mexp(upper - lower))


class _LogNdtr(torch.autograd.Function):
    """``torch.special.log_ndtr`` with a gradient that holds in the tails.

    torch's own is exp(-result - x^2 / 2), where two large numbers cancel: in float32 it is off by
    some 5 % at x = -1000, and by any factor or not finite further out. Its ``log_ndtr`` and
    ``erfcx`` also take one number at a time, four times as long as what is done here.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        log_erfcx = _log_erfcx(x.abs() * _SQRT_HALF)
        squares = 0.5 * x.square()
        tail = log_erfcx - squares - _LOG_2  # of the smaller side
        result = torch.where(x > 0, torch.log1p(-torch.exp(tail)), tail)
        ctx.save_for_backward(x, squares, log_erfcx, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, squares, log_erfcx, result = ctx.saved_tensors
        log_ratio = torch.where(x > 0, -squares - result - _LOG_2, -log_erfcx)
        return gradient * (_SQRT_2_OVER_PI * torch.exp(log_ratio))


# Of Numerical Recipes (2nd ed., section 6.2): erfcx within 1.2e-7 of its value for all z >= 0.
_ERFCX = (
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418,
    0.37409196, 1.00002368, -1.26551223,
)  # fmt: skip


def _log_erfcx(z: Tensor) -> Tensor:
    """log(exp(z^2) erfc(z)) for z >= 0, to the precision of the numbers."""
    if z.dtype == torch.float64 or z.is_cuda:  # exact there, and fast on a GPU
        exact: Tensor = torch.special.erfcx(z).log()
        return exact
    t = (1 + 0.5 * z).reciprocal()
    polynomial = torch.full_like(t, _ERFCX[0])
    for coefficient in _ERFCX[1:]:
        polynomial.mul_(t).add_(coefficient)
    return polynomial.add_(t.log())


def _log1mexp(positive: Tensor) -> Tensor:
    """log(1 - exp(-positive)) (Maechler 2012); the floor keeps its gradient finite."""
    return torch.log(-torch.expm1(-positive.clamp_min(1e-12)))
