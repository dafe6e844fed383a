"""What p(x|z) says of each pixel, beside the pixel: the ground that calibration stands on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import torch
from scipy import special
from torch import Tensor

from vaesearch.models.pixels import (
    LEVELS,
    BetaPixels,
    BinomialPixels,
    ContinuousBernoulliPixels,
    DiscretizedLogisticPixels,
    DiscretizedNormalPixels,
    LaplacePixels,
    LogisticMixturePixels,
    NormalPixels,
)
from vaesearch.models.pixels.cells import logistic_log_cell
from vaesearch.models.pixels.core import level_index

CELLS = LEVELS + 1


@dataclass(frozen=True)
class Forecast:
    """All of the shape of the images, ``[B, C, H, W]``, in float64.

    Attributes:
        below: P(X < x) of each pixel x.
        upto: P(X <= x); the same for a density.
        error: x less the predicted mean.
        variance: as predicted.
    """

    below: Tensor
    upto: Tensor
    error: Tensor
    variance: Tensor


@singledispatch
def forecast(pixels: object, x: Tensor) -> Forecast:
    """The forecast of ``pixels`` for images in [0, 1].

    A likelihood of your own takes part by ``forecast.register``. Densities of normals and of
    Laplace are taken at the pixel; those on the unit interval spread a level over its cell, as
    their likelihoods do; of coupled channels each is forecast given those before it.

    Raises:
        TypeError: nothing is known of such pixels.
    """
    raise TypeError(f"no distribution function of {type(pixels).__name__} is known")


def is_known(pixels: object) -> bool:
    """Whether there is a forecast of such pixels."""
    return forecast.dispatch(type(pixels)) is not forecast.dispatch(object)


@forecast.register
def _normal(pixels: NormalPixels, x: Tensor) -> Forecast:
    variance = pixels.log_variance.double().exp().expand(x.shape)
    error = x.double() - pixels._mean.double()
    share = torch.special.ndtr(error / variance.sqrt())
    return Forecast(share, share, error, variance)


@forecast.register
def _laplace(pixels: LaplacePixels, x: Tensor) -> Forecast:
    scale = pixels.log_scale.double().exp().expand(x.shape)
    error = x.double() - pixels._mean.double()
    tail = 0.5 * torch.exp(-error.abs() / scale)
    share = torch.where(error < 0, tail, 1 - tail)
    return Forecast(share, share, error, 2 * scale.square())


@forecast.register
def _discretized_normal(pixels: DiscretizedNormalPixels, x: Tensor) -> Forecast:
    mean, scale = pixels._mean.double(), (0.5 * pixels.log_variance.double()).exp()
    return _of_levels(lambda edge: torch.special.ndtr((mean - edge) / scale), x)


@forecast.register
def _discretized_logistic(pixels: DiscretizedLogisticPixels, x: Tensor) -> Forecast:
    mean, rate = pixels._mean.double(), (-pixels.log_scale.double()).exp()
    return _of_levels(lambda edge: torch.sigmoid((mean - edge) * rate), x)


@forecast.register
def _logistic_mixture(pixels: LogisticMixturePixels, x: Tensor) -> Forecast:
    levels = x.unsqueeze(1)
    given = pixels.means if pixels.channels == 1 else pixels._means_given(levels)
    cells = logistic_log_cell(levels, given, pixels.log_scales).double()
    before = cells.cumsum(dim=2) - cells  # what the channels before say of the component
    weights = torch.softmax(pixels.logits.double().unsqueeze(2) + before, dim=1)
    means, rate = given.double(), (-pixels.log_scales.double()).exp()

    def tail(edge: Tensor | float) -> Tensor:
        at = edge.unsqueeze(1) if isinstance(edge, Tensor) else edge
        return (weights * torch.sigmoid((means - at) * rate)).sum(dim=1)

    return _of_levels(tail, x)


@forecast.register
def _binomial(pixels: BinomialPixels, x: Tensor) -> Forecast:
    level, share = level_index(x).cpu().numpy(), torch.sigmoid(pixels.logits.double())
    successes = share.cpu().numpy()
    upto = special.bdtr(level, LEVELS, successes)
    below = np.where(level > 0, special.bdtr(np.maximum(level - 1, 0), LEVELS, successes), 0)
    variance = share * (1 - share) / LEVELS
    return Forecast(_like(x, below), _like(x, upto), x.double() - share, variance)


@forecast.register
def _continuous_bernoulli(pixels: ContinuousBernoulliPixels, x: Tensor) -> Forecast:
    steepness = pixels.logits.double().abs().clamp_min(1e-6)

    def share(edge: Tensor) -> Tensor:
        # Of the rising density; the falling one is its mirror image. Nothing overflows.
        upwards = torch.where(pixels.logits < 0, 1 - edge, edge)
        risen = (upwards - 1).mul(steepness).exp() * torch.expm1(-steepness * upwards)
        risen = risen / torch.expm1(-steepness)
        return torch.where(pixels.logits < 0, 1 - risen, risen)

    return _of_cells(share, x, pixels.mean, pixels.standard_deviation)


@forecast.register
def _beta(pixels: BetaPixels, x: Tensor) -> Forecast:
    alpha, beta = (p.double().cpu().numpy() for p in (pixels.alpha, pixels.beta))

    def share(edge: Tensor) -> Tensor:
        return _like(x, special.betainc(alpha, beta, edge.cpu().numpy()))

    return _of_cells(share, x, pixels.mean, pixels.standard_deviation)


def _of_levels(tail: Callable[[Tensor | float], Tensor], x: Tensor) -> Forecast:
    """Of levels with open outer cells, from P(X > edge) of the real number behind them."""
    level = level_index(x).double()
    below = torch.where(level > 0, 1 - tail((level - 0.5) / LEVELS), 0.0)
    upto = torch.where(level < LEVELS, 1 - tail((level + 0.5) / LEVELS), 1.0)
    first, second = torch.zeros_like(below), torch.zeros_like(below)
    for k in range(1, LEVELS + 1):
        probability = tail((k - 0.5) / LEVELS)  # E[K] = sum of P(K >= k)
        first += probability
        second += (2 * k - 1) * probability
    variance = (second - first.square()).clamp_min(0) / LEVELS**2
    return Forecast(below, upto, x.double() - first / LEVELS, variance)


def _of_cells(
    share: Callable[[Tensor], Tensor], x: Tensor, mean: Tensor, deviation: Tensor
) -> Forecast:
    """Of densities on the unit interval, of which a level has the 256th part as its cell."""
    level = level_index(x).double()
    error = (level + 0.5) / CELLS - mean.double()
    below, upto = share(level / CELLS), share((level + 1) / CELLS)
    return Forecast(below, upto, error, deviation.double().square())


def _like(x: Tensor, values: np.ndarray) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64, device=x.device)
