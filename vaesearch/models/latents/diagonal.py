"""The diagonal Gaussian."""

import torch
from torch import Tensor

from vaesearch.models.latents.protocols import LOG_2PI


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
