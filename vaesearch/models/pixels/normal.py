"""Normal pixels: as a density, with one variance or one per pixel, and as a mass on the levels."""

import math

import torch
from torch import Tensor

from vaesearch.models.pixels.cells import normal_log_cell
from vaesearch.models.pixels.core import (
    deviation_of_levels,
    normal_like,
    per_image,
    to_levels,
)
from vaesearch.models.pixels.shared import normal_log_mass_of

_LOG_2PI = math.log(2 * math.pi)


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

    @property
    def standard_deviation(self) -> Tensor:
        """Of the density."""
        return torch.exp(0.5 * self.log_variance).expand_as(self._mean)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats, eq. 7 of Lin et al. 2019."""
        squares = (x - self._mean).square().flatten(1).sum(dim=1)
        dims = x[0].numel()
        constant = -0.5 * dims * (_LOG_2PI + self.log_variance)
        return constant - 0.5 * squares * torch.exp(-self.log_variance)

    def log_mass(self, x: Tensor) -> Tensor:
        """Log-probability of the levels in nats; sums to 1 over 0..255 in every pixel."""
        scale = torch.exp(0.5 * self.log_variance)
        return normal_log_cell(x, self._mean, scale).flatten(1).sum(dim=1)

    def log_mass_of(self, x: Tensor) -> Tensor:
        """:meth:`log_mass` of one picture ``[C, H, W]`` under each forecast, without gradients."""
        fast = normal_log_mass_of(x, self._mean, self.log_variance)
        return self.log_mass(x.expand_as(self._mean)) if fast is None else fast

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Real numbers, also outside [0, 1]."""
        noise = normal_like(self._mean, generator)
        return self._mean + torch.exp(0.5 * self.log_variance) * noise


class PixelwiseNormalPixels(NormalPixels):
    """Independent normal pixels, each with its own variance; ``log_prob`` is a density.

    Args:
        mean: ``[B, C, H, W]``.
        variance: likewise.
    """

    def __init__(self, mean: Tensor, variance: Tensor) -> None:
        super().__init__(mean, variance.log())
        self.variance = variance

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats, eq. 10 of Lin et al. 2019."""
        squares = (x - self._mean).square() / self.variance
        return -0.5 * (per_image(squares + self.log_variance) + x[0].numel() * _LOG_2PI)


class DiscretizedNormalPixels(NormalPixels):
    """Normal pixels whose mass on the 8-bit levels is also what training maximises."""

    is_mass = True

    @property
    def standard_deviation(self) -> Tensor:
        """Of the levels: small where all mass is on black, however wide the normal behind it."""
        scale = torch.exp(0.5 * self.log_variance)
        return deviation_of_levels(lambda edge: torch.special.ndtr((self._mean - edge) / scale))

    def log_prob(self, x: Tensor) -> Tensor:
        """The same as :meth:`log_mass`."""
        return self.log_mass(x)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Levels ``k / 255``."""
        return to_levels(super().sample(generator))
