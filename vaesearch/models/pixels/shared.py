"""The mass of one picture under many normal forecasts of it, on a CPU and without gradients.

Which cells are open does not change from forecast to forecast, so black and white pixels, which
take one tail each, are set apart from the others, whose cells are so narrow that a series is
exact. Products of tails come before their logarithms.
"""

import math

import torch
from torch import Tensor

from vaesearch.models.pixels.cells import _ERFCX
from vaesearch.models.pixels.core import HALF_STEP

# Half a cell times a distance, both in deviations: the terms left out are below 2e-6 nats.
MOST = 0.4
FACTORS = 4  # tails multiplied with each other, of 1e-9 or more each
_LOG_2PI = math.log(2 * math.pi)


@torch.no_grad()
def normal_log_mass_of(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor | None:
    """Log-probability of the levels of one picture in nats, ``[B]``.

    Args:
        x: ``[C, H, W]``.
        mean: of the forecasts, ``[B, C, H, W]``.
        log_variance: of all pixels.

    Returns:
        None where the general way is needed.
    """
    is_plain = mean.dtype == torch.float32 and not mean.is_cuda and log_variance.numel() == 1
    if not is_plain:
        return None
    scale = math.exp(0.5 * float(log_variance))
    levels, means = x.flatten(), mean.flatten(1)
    is_black, is_white = levels < HALF_STEP, levels > 1 - HALF_STEP
    is_inner = ~(is_black | is_white)
    inner = _inner(levels[is_inner], means[:, is_inner], scale)
    if inner is None:
        return None
    black = (HALF_STEP - means[:, is_black]).div_(scale)
    white = (means[:, is_white] - (1 - HALF_STEP)).div_(scale)
    return inner + _log_ndtr_sum(torch.cat([black, white], dim=1))


def _inner(x: Tensor, mean: Tensor, scale: float) -> Tensor | None:
    """Of the closed cells: log of the integral of exp(-(d + t)^2 / 2) for t from -h to h.

    That is -d^2 / 2 and the logarithm of a mean over t, of which these are the cumulants up to
    h^4.
    """
    half, count = HALF_STEP / scale, x.numel()
    squares = (mean - x).div_(scale).square_()
    if count and float(squares.max()) * half**2 > MOST**2:
        return None
    second = squares.sum(dim=1)
    fourth = squares.square_().sum(dim=1)
    constant = math.log(2 * half) - 0.5 * _LOG_2PI - half**2 / 6 + half**4 / 90
    by_square = -0.5 + half**2 / 6 - half**4 / 45
    return count * constant + by_square * second - half**4 / 180 * fourth


def _log_ndtr_sum(u: Tensor) -> Tensor:
    """Sums ``[B]`` of log Phi of ``[B, N]``, which are overwritten.

    Below 0 log Phi(u) is -u^2 / 2 and the logarithm of erfcx / 2, above that of 1 - erfc / 2.
    """
    is_low = u < 0
    rising = u.clamp_min(0).square_()
    falling = u.clamp_max(0).square_().sum(dim=1)
    t = u.abs_().mul_(0.5 * math.sqrt(0.5)).add_(1).reciprocal_()
    polynomial = torch.full_like(t, _ERFCX[0])
    for coefficient in _ERFCX[1:]:
        polynomial.mul_(t).add_(coefficient)
    tail = polynomial.sub_(rising, alpha=0.5).exp_().mul_(t).mul_(0.5)
    factors = torch.where(is_low, tail, 1 - tail)
    whole = factors.shape[1] // FACTORS * FACTORS
    rest = factors[:, whole:].log().sum(dim=1)
    size = whole // FACTORS
    products = factors[:, :size].clone()
    for part in range(1, FACTORS if size else 1):
        products.mul_(factors[:, part * size : (part + 1) * size])
    return products.log_().sum(dim=1) + rest - 0.5 * falling
