"""A diagonal Gaussian carried through invertible maps."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from vaesearch.models.latents.diagonal import DiagonalGaussian


class Step(Protocol):
    """An invertible map of latents ``[..., B, D]``, another one for each image."""

    def __call__(self, z: Tensor, /) -> tuple[Tensor, Tensor]:
        """Where z goes, and log |det| of the Jacobian there, ``[..., B]``."""
        ...

    def inverse(self, z: Tensor, /) -> tuple[Tensor, Tensor]:
        """Where z came from, and log |det| of the Jacobian of the map (not its inverse) there."""
        ...


class Flow:
    """log q(z) = log q0(z0) - sum of log |det| over the steps (Rezende & Mohamed 2015, eq. 13).

    Args:
        base: q0.
        steps: the maps, first one first; with none this is the base.
    """

    def __init__(self, base: DiagonalGaussian, steps: Sequence[Step]) -> None:
        self.base = base
        self.steps = tuple(steps)

    @cached_property
    def mean(self) -> Tensor:
        """Where the base's mean goes, ``[B, D]``: a code of high density, not the exact mean."""
        z = self.base.mean
        for step in self.steps:
            z, _ = step(z)
        return z

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """A sample ``[B, D]`` or ``[count, B, D]``."""
        z = self.base.rsample(generator, count)
        for step in self.steps:
            z, _ = step(z)
        return z

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample and its log-density ``[B]`` or ``[count, B]``."""
        z, log_prob = self.base.rsample_and_log_prob(generator, count)
        for step in self.steps:
            z, log_det = step(z)
            log_prob = log_prob - log_det
        return z, log_prob

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats, ``[..., B]``, at any z, by way of the inverse maps."""
        log_dets = []
        for step in reversed(self.steps):
            z, log_det = step.inverse(z)
            log_dets.append(log_det)
        log_prob = self.base.log_prob(z)
        for log_det in log_dets:
            log_prob = log_prob - log_det
        return log_prob
