"""Distributions over latents, with log-densities in nats.

A posterior q(z|x) is one distribution for each of B images; a prior p(z) is one for all. A latent
is ``[..., B, D]`` for a posterior and ``[..., D]`` for a prior: leading dimensions broadcast, so
several samples per image cost no copy of the parameters.
"""

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class Posterior(Protocol):
    """q(z|x) for B images."""

    @property
    def mean(self) -> Tensor:
        """The code that an image is reconstructed from, ``[B, D]``."""
        ...

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """A reparameterised sample ``[B, D]``, or ``count`` of them ``[count, B, D]``."""
        ...

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample as of :meth:`rsample`, and log q(z|x) of it, ``[B]`` or ``[count, B]``.

        With an auxiliary variable v the latter is log q(z, v|x) - log r(v|x, z), whose mean is
        an upper bound on that of log q(z|x).
        """
        ...

    def log_prob(self, z: Tensor) -> Tensor:
        """Log q(z|x) ``[..., B]`` at any z ``[..., B, D]``; needs the trait ``density``."""
        ...


@runtime_checkable
class GaussianPosterior(Posterior, Protocol):
    """A Gaussian: its entropy and divergences have closed forms; the trait ``gaussian``."""

    def kl_to_standard(self) -> Tensor:
        """KL(q || N(0, I)) in nats, ``[B]``."""
        ...

    def entropy(self) -> Tensor:
        """Differential entropy in nats, ``[B]``."""
        ...

    def covariance(self) -> Tensor:
        """Covariance matrices, ``[B, D, D]``."""
        ...


class Prior(Protocol):
    """p(z)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """Log p(z) ``[...]`` of latents ``[..., D]``."""
        ...

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` latents ``[count, D]``."""
        ...


class DiagonalGaussian:
    """Gaussians with diagonal covariance, mean and log-variance ``[B, D]``."""

    def __init__(self, mean: Tensor, log_variance: Tensor) -> None:
        self.mean = mean
        self.log_variance = log_variance

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """Mean + scale * noise (Kingma & Welling 2014); ``[B, D]`` or ``[count, B, D]``."""
        return self._sample(generator, count)[0]

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample and its log-density ``[B]`` or ``[count, B]``."""
        z, noise = self._sample(generator, count)
        return z, -0.5 * (noise.square() + self.log_variance + LOG_2PI).sum(dim=-1)

    def _sample(
        self, generator: torch.Generator | None, count: int | None
    ) -> tuple[Tensor, Tensor]:
        leading = () if count is None else (count,)
        noise = self.mean.new_empty((*leading, *self.mean.shape)).normal_(generator=generator)
        return self.mean + torch.exp(0.5 * self.log_variance) * noise, noise

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats, ``[..., B]``."""
        squares = (z - self.mean).square() * torch.exp(-self.log_variance)
        return -0.5 * (squares + self.log_variance + LOG_2PI).sum(dim=-1)

    def kl_to(self, other: "DiagonalGaussian") -> Tensor:
        """KL(self || other) in nats, ``[B]``; not symmetric."""
        ratio = self.log_variance - other.log_variance
        distance = (other.mean - self.mean).square() * torch.exp(-other.log_variance)
        return 0.5 * (torch.exp(ratio) + distance - 1 - ratio).sum(dim=1)

    def kl_to_standard(self) -> Tensor:
        """KL(self || N(0, I)) in nats, ``[B]``."""
        return self.kl_by_dimension().sum(dim=1)

    def kl_by_dimension(self) -> Tensor:
        """KL of each latent to N(0, 1) in nats, ``[B, D]``."""
        terms = self.log_variance.exp() + self.mean.square() - 1 - self.log_variance
        return 0.5 * terms

    def entropy(self) -> Tensor:
        """Differential entropy in nats, ``[B]``."""
        return 0.5 * (self.log_variance + LOG_2PI + 1).sum(dim=1)

    def covariance(self) -> Tensor:
        """Covariance matrices, ``[B, D, D]``."""
        return torch.diag_embed(self.log_variance.exp())
