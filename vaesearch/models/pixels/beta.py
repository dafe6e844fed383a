"""Beta densities of pixels.

A level k stands for the cell from k / 256 to (k + 1) / 256 of the unit interval.
"""

import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from vaesearch.models.pixels.core import LEVELS, level_index, per_image

CELLS = LEVELS + 1
_LOG_CELLS = math.log(CELLS)


class BetaPixels:
    """Beta densities on (0, 1).

    Such a density may be infinite at 0 and 1, so levels are spread evenly over their cells. The
    expectation over that noise is in closed form, since log u and log(1 - u) have integrals:
    :meth:`log_prob` is that expectation, and nothing is drawn.

    Args:
        alpha: above 0, ``[B, C, H, W]``.
        beta: likewise.
    """

    is_mass = False

    def __init__(self, alpha: Tensor, beta: Tensor) -> None:
        self.alpha = alpha
        self.beta = beta

    @property
    def mean(self) -> Tensor:
        """Of the density."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def standard_deviation(self) -> Tensor:
        """Of the density."""
        mean, total = self.mean, self.alpha + self.beta
        return (mean * (self.beta / total) / (total + 1)).sqrt()

    def log_density(self, u: Tensor) -> Tensor:
        """Log-density in nats, ``[B]``, at numbers strictly between 0 and 1."""
        return self._nats(u.log(), torch.log1p(-u))

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats, expected over the spread of each level over its cell."""
        logs, level = _expected_logs(x.device, x.dtype), level_index(x)
        return self._nats(logs.take(level), logs.take(LEVELS - level))

    def log_mass(self, x: Tensor) -> Tensor:
        """A bound below the log-probability of the levels' cells, by Jensen's inequality."""
        return self.log_prob(x) - x[0].numel() * _LOG_CELLS

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Numbers between 0 and 1."""
        pair = torch.stack([self.alpha, self.beta])
        drawn: Tensor = torch._standard_gamma(pair, generator)
        return drawn[0] / drawn.sum(dim=0)

    def _nats(self, log_u: Tensor, log_rest: Tensor) -> Tensor:
        nats = (self.alpha - 1) * log_u + (self.beta - 1) * log_rest
        return per_image(nats - log_beta(self.alpha, self.beta))


@lru_cache(8)
def _expected_logs(device: torch.device, dtype: torch.dtype) -> Tensor:
    """E[log((k + U) / 256)] with U uniform on [0, 1), for k in 0..255."""
    edges = torch.arange(CELLS + 1, dtype=torch.float64, device=device)
    expected = torch.diff(torch.special.xlogy(edges, edges)) - 1 - _LOG_CELLS
    return expected.to(dtype)


def log_beta(alpha: Tensor, beta: Tensor) -> Tensor:
    """Logarithm of the Beta function."""
    result: Tensor = _LogBeta.apply(alpha, beta)
    return result


class _LogBeta(torch.autograd.Function):
    """torch's own, but for the gradient: its digamma takes four times as long as its lgamma."""

    @staticmethod
    def forward(ctx: Any, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(alpha, beta)
        total = torch.lgamma(alpha + beta)
        return torch.lgamma(alpha).add_(torch.lgamma(beta)).sub_(total)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        alpha, beta = ctx.saved_tensors
        total = _digamma(alpha + beta)
        return (_digamma(alpha) - total) * gradient, (_digamma(beta) - total) * gradient


def _digamma(x: Tensor) -> Tensor:
    """Of numbers above 0, to the precision of the numbers.

    The asymptotic series (Abramowitz & Stegun 6.3.18) at x + 4, and the recurrence back to x: four
    reciprocals, of which the outer two and the inner two make one each.
    """
    if x.dtype == torch.float64:
        return torch.digamma(x)
    shifted = x + 4
    inverse = shifted.reciprocal().square_()
    series = (inverse * (1 / 252) - 1 / 120).mul_(inverse).add_(1 / 12).mul_(inverse)
    product = x * (x + 3)
    passed = (2 * x + 3) * (2 * product + 2) / (product * (product + 2))
    return shifted.log().sub_(shifted.reciprocal().mul_(0.5)).sub_(series).sub_(passed)
