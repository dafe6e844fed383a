"""The continuous Bernoulli distribution of pixels.

A level k stands for the cell from k / 256 to (k + 1) / 256 of the unit interval.
"""

import math
from typing import Any

import torch
from torch import Tensor

from vaesearch.models.pixels.core import LEVELS, per_image, uniform_like

CELLS = LEVELS + 1
_LOG_CELLS = math.log(CELLS)
_SMALL = 0.3  # below, series replace differences that cancel


class ContinuousBernoulliPixels:
    """Density proportional to lambda^x (1 - lambda)^(1 - x) (Loaiza-Ganem & Cunningham 2019).

    With the logit t of lambda it is exp(t x) over its integral, (exp(t) - 1) / t, so the integral
    over a cell is exact and nothing else is needed than log(sinh(t/2) / (t/2)).

    Args:
        logits: of lambda, which is not the mean.
    """

    is_mass = False

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @property
    def mean(self) -> Tensor:
        """Of the density; nearer to one half than lambda."""
        tilt: Tensor = _Langevin.apply(0.5 * self.logits)
        return 0.5 + 0.5 * tilt

    @property
    def standard_deviation(self) -> Tensor:
        """Of the density."""
        return 0.5 * _langevin_slope(0.5 * self.logits).sqrt()

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats."""
        return per_image(self.logits * (x - 0.5) - _log_sinhc(0.5 * self.logits))

    def log_mass(self, x: Tensor) -> Tensor:
        """Log-probability of the levels' cells in nats, exact; sums to 1 over 0..255."""
        middle = (LEVELS * x + 0.5) / CELLS
        peak = _log_sinhc(0.5 / CELLS * self.logits) - _log_sinhc(0.5 * self.logits)
        return per_image(self.logits * (middle - 0.5) + peak - _LOG_CELLS)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Numbers between 0 and 1, by the inverse of the distribution function."""
        uniform = uniform_like(self.logits, generator)
        steepness = self.logits.abs().clamp_min(1e-6)
        # Of the rising density; the falling one is its mirror image.
        rising = 1 + torch.log1p((1 - uniform) * torch.expm1(-steepness)) / steepness
        return torch.where(self.logits < 0, 1 - rising, rising).clamp(0, 1)


def _log_sinhc(t: Tensor) -> Tensor:
    """log(sinh(t) / t)."""
    result: Tensor = _LogSinhc.apply(t)
    return result


class _LogSinhc(torch.autograd.Function):
    """log(sinh(t) / t), with a gradient that neither cancels near 0 nor overflows."""

    @staticmethod
    def forward(ctx: Any, t: Tensor) -> Tensor:
        ctx.save_for_backward(t)
        size = t.abs().clamp_min_(1e-6)
        return torch.expm1(-2 * size).div_(-2 * size).log_().add_(size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (t,) = ctx.saved_tensors
        return gradient * _langevin(t)


class _Langevin(torch.autograd.Function):
    """coth(t) - 1 / t, the slope of log(sinh(t) / t)."""

    @staticmethod
    def forward(ctx: Any, t: Tensor) -> Tensor:
        ctx.save_for_backward(t)
        return _langevin(t)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (t,) = ctx.saved_tensors
        return gradient * _langevin_slope(t)


def _langevin(t: Tensor) -> Tensor:
    size = t.abs()
    series = _polynomial(size.square(), (1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555))
    far = size.clamp_min(_SMALL)
    closed = (1 + 2 / torch.expm1(2 * far) - far.reciprocal()).div_(far)
    return torch.where(size < _SMALL, series, closed).mul_(t)


def _langevin_slope(t: Tensor) -> Tensor:
    squares = t.square()
    series = _polynomial(squares, (1 / 3, -1 / 15, 2 / 189, -1 / 675, 2 / 10395))
    return torch.where(t.abs() < _SMALL, series, 1 / squares - torch.sinh(t).square().reciprocal())


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """``coefficients`` from the constant one upwards."""
    result = torch.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result.mul_(x).add_(coefficient)
    return result
