"""Logistic pixels, as a mass on the levels, and Laplace pixels, as a density."""

import math

import torch
from torch import Tensor

from vaesearch.models.pixels.cells import laplace_log_cell, logistic_log_cell
from vaesearch.models.pixels.core import (
    deviation_of_levels,
    per_image,
    to_levels,
    uniform_like,
)


class DiscretizedLogisticPixels:
    """Logistic pixels integrated over each level's cell, the two outer ones being open.

    Args:
        mean: ``[B, C, H, W]``, of the real number behind the level.
        log_scale: one number, or one per pixel.
    """

    is_mass = True

    def __init__(self, mean: Tensor, log_scale: Tensor) -> None:
        self._mean = mean
        self.log_scale = log_scale

    @property
    def mean(self) -> Tensor:
        """The mean, clamped to what a screen can show."""
        return self._mean.clamp(0, 1)

    @property
    def standard_deviation(self) -> Tensor:
        """Of the levels."""
        rate = torch.exp(-self.log_scale)
        return deviation_of_levels(lambda edge: torch.sigmoid((self._mean - edge) * rate))

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-probability of the levels in nats; sums to 1 over 0..255 in every pixel."""
        return per_image(logistic_log_cell(x, self._mean, self.log_scale))

    log_mass = log_prob

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Levels ``k / 255``."""
        noise = torch.logit(uniform_like(self._mean, generator))
        return to_levels(self._mean + torch.exp(self.log_scale) * noise)


class LaplacePixels:
    """Independent Laplace pixels with one scale; ``log_prob`` is a density.

    Args:
        mean: ``[B, C, H, W]``.
        log_scale: of the mean absolute distance from it.
    """

    is_mass = False

    def __init__(self, mean: Tensor, log_scale: Tensor) -> None:
        self._mean = mean
        self.log_scale = log_scale

    @property
    def mean(self) -> Tensor:
        """The mean, clamped to what a screen can show."""
        return self._mean.clamp(0, 1)

    @property
    def standard_deviation(self) -> Tensor:
        """Of the density."""
        return (math.sqrt(2) * torch.exp(self.log_scale)).expand_as(self._mean)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats."""
        distance = per_image((x - self._mean).abs())
        constant = x[0].numel() * (math.log(2) + self.log_scale)
        return -constant - distance * torch.exp(-self.log_scale)

    def log_mass(self, x: Tensor) -> Tensor:
        """Log-probability of the levels in nats; sums to 1 over 0..255 in every pixel."""
        return per_image(laplace_log_cell(x, self._mean, torch.exp(self.log_scale)))

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Real numbers, also outside [0, 1]."""
        centred = uniform_like(self._mean, generator) - 0.5
        noise = -centred.sign() * torch.log1p(-2 * centred.abs())
        return self._mean + torch.exp(self.log_scale) * noise
