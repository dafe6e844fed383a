"""What every distribution of pixels can do, and what they share.

Pixels are floats ``x = k / 255`` for the level ``k`` in 0..255.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

LEVELS = 255
HALF_STEP = 0.5 / LEVELS


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

    @property
    def standard_deviation(self) -> Tensor:
        """How far a pixel is expected to be from its mean, in units of [0, 1]; as ``mean``."""
        ...

    def log_prob(self, x: Tensor) -> Tensor:
        """What training maximises, in nats, ``[B]``: a density or a mass."""
        ...

    def log_mass(self, x: Tensor) -> Tensor:
        """Log-probability of the pixel levels themselves, in nats, ``[B]``, or a bound below it.

        The same for the same images: nothing is drawn.
        """
        ...

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """A draw of that which :meth:`log_prob` is a probability of, ``[B, C, H, W]``.

        Levels ``k / 255`` where that is a mass, real numbers where it is a density.
        """
        ...


def per_image(values: Tensor) -> Tensor:
    """Sums ``[B]`` of ``[B, ...]``."""
    return values.flatten(1).sum(dim=1)


def to_levels(x: Tensor) -> Tensor:
    """The nearest of the levels ``k / 255``."""
    return x.clamp(0, 1).mul(LEVELS).round().div(LEVELS)


def level_index(x: Tensor) -> Tensor:
    """The level ``k`` of each pixel, as an integer."""
    return x.mul(LEVELS).round().long()


@torch.no_grad()
def deviation_of_levels(tail: Callable[[float], Tensor]) -> Tensor:
    """Standard deviation of a distribution over levels, in units of [0, 1].

    Args:
        tail: P(X > edge) of the real number behind the level, for an edge between two levels.
    """
    first = second = torch.zeros(())
    for level in range(1, LEVELS + 1):
        probability = tail((level - 0.5) / LEVELS)  # E[K] = sum of P(K >= k)
        first = first.to(probability.device) + probability
        second = second.to(probability.device) + (2 * level - 1) * probability
    return (second - first.square()).clamp_min(0).sqrt() / LEVELS


def uniform_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Numbers between 0 and 1, neither of them included."""
    tiny = torch.finfo(x.dtype).eps
    return torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device).clamp(
        tiny, 1 - tiny
    )


def normal_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
