"""Log-probabilities of a level's cell, which hold in the far tails and have finite gradients.

The cell of the level k goes from (k - 1/2) / 255 to (k + 1/2) / 255; the two outer ones are open.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.pixels.core import HALF_STEP

_LOG_2 = math.log(2)
_SQRT_HALF = math.sqrt(0.5)
_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
_FAR = 1e9  # an edge that no pixel reaches, and finite, so that 0 times it is 0


def normal_log_cell(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
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
    return torch.where(is_black | is_white, upper, upper + log1mexp(upper - lower))


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


def log1mexp(positive: Tensor) -> Tensor:
    """log(1 - exp(-positive)) (Maechler 2012); the floor keeps its gradient finite."""
    return torch.log(-torch.expm1(-positive.clamp_min(1e-12)))


def logistic_log_cell(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Log P(level) of a logistic, exact in the far tails too.

    Args:
        x: levels; no gradient goes to them.
        mean: broadcasts with ``x``.
        log_scale: likewise; not far below that of half a level.
    """
    # On a CPU ten times as fast as `where`.
    low = F.threshold(x, HALF_STEP, -_FAR) - HALF_STEP
    high = HALF_STEP - F.threshold(-x, HALF_STEP - 1, -_FAR)
    result: Tensor = _LogisticCell.apply(low, high, mean, log_scale)
    return result


class _LogisticCell(torch.autograd.Function):
    """log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a)).

    Nothing cancels in the sum, nor in its gradient. Written out by hand it makes half the passes
    over memory.
    """

    @staticmethod
    def forward(ctx: Any, low: Tensor, high: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
        rate = log_scale.neg().exp_()
        a, minus_b = (high - mean).mul_(rate), (mean - low).mul_(rate)
        width = (high - low) * rate
        result = F.logsigmoid(a).add_(F.logsigmoid(minus_b))
        result.add_(width.neg().expm1_().neg_().log_())
        ctx.save_for_backward(a, minus_b, width, rate, mean)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor, Tensor]:
        a, minus_b, width, rate, mean = ctx.saved_tensors
        above, below = a.neg().sigmoid_(), minus_b.neg().sigmoid_()
        by_mean = (below - above).mul_(rate).mul_(gradient)
        by_scale = above.mul_(a).add_(below.mul_(minus_b)).add_(width / torch.expm1(width))
        by_scale = by_scale.mul_(gradient).neg_()
        return None, None, by_mean.sum_to_size(mean.shape), by_scale.sum_to_size(rate.shape)


def laplace_log_cell(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Log P(level) of a Laplace distribution, exact in the far tails too.

    With distance d = |x - mean| / scale and half width h: exp(-d) sinh(h) where the cell has the
    mean outside, and 1 - exp(-h) cosh(d) where it has it inside. An outer cell is the tail from
    its inner edge on.
    """
    half = HALF_STEP / scale
    centred = (x - mean) / scale
    distance = centred.abs()
    is_black, is_white = x < HALF_STEP, x > 1 - HALF_STEP
    outside = half - distance + log1mexp(2 * half) - _LOG_2
    nearer = distance.minimum(half)  # the other branch's numbers must stay finite
    inside = -0.5 * (torch.expm1(nearer - half) + torch.expm1(-nearer - half))
    interior = torch.where(distance < half, inside.clamp_min(1e-12).log(), outside)
    edge = torch.where(is_black, centred, -centred) + half
    tail = torch.where(
        edge < 0, edge.clamp_max(0) - _LOG_2, torch.log1p(-0.5 * torch.exp(-edge.clamp_min(0)))
    )
    return torch.where(is_black | is_white, tail, interior)
