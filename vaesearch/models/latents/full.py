"""The Gaussian with full covariance."""

import torch
from torch import Tensor

from vaesearch.models.latents.protocols import LOG_2PI


class FullGaussian:
    """Gaussians with any covariance L Lᵀ.

    Args:
        mean: ``[B, D]``.
        scale_tril: L, lower triangular with a positive diagonal, ``[B, D, D]``.
    """

    def __init__(self, mean: Tensor, scale_tril: Tensor) -> None:
        self.mean = mean
        self.scale_tril = scale_tril

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """Mean + L noise; ``[B, D]`` or ``[count, B, D]``."""
        return self._sample(generator, count)[0]

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample and its log-density ``[B]`` or ``[count, B]``."""
        z, noise = self._sample(generator, count)
        return z, -0.5 * (noise.square() + LOG_2PI).sum(dim=-1) - self._log_scale()

    def _sample(
        self, generator: torch.Generator | None, count: int | None
    ) -> tuple[Tensor, Tensor]:
        leading = () if count is None else (count,)
        noise = self.mean.new_empty((*leading, *self.mean.shape)).normal_(generator=generator)
        return self.mean + torch.einsum("bij,...bj->...bi", self.scale_tril, noise), noise

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats, ``[..., B]``."""
        differences = z - self.mean
        # The samples of an image are columns of one system, so that L is not copied for each.
        columns = differences.reshape(-1, *self.mean.shape).permute(1, 2, 0)
        squares = self._whitened(columns).square().sum(dim=1).t().reshape(differences.shape[:-1])
        dims = self.mean.shape[-1]
        return -0.5 * (squares + dims * LOG_2PI) - self._log_scale()

    def kl_to(self, other: "FullGaussian") -> Tensor:
        """KL(self || other) in nats, ``[B]``; not symmetric."""
        distance = (other.mean - self.mean).unsqueeze(-1)
        whitened = other._whitened(torch.cat([self.scale_tril, distance], dim=-1))
        squares = whitened.square().sum(dim=(1, 2))
        return 0.5 * (squares - self.mean.shape[-1]) + other._log_scale() - self._log_scale()

    def kl_to_standard(self) -> Tensor:
        """KL(self || N(0, I)) in nats, ``[B]``."""
        squares = self.scale_tril.square().sum(dim=(1, 2)) + self.mean.square().sum(dim=1)
        return 0.5 * (squares - self.mean.shape[-1]) - self._log_scale()

    def entropy(self) -> Tensor:
        """Differential entropy in nats, ``[B]``."""
        return self._log_scale() + 0.5 * self.mean.shape[-1] * (LOG_2PI + 1)

    def covariance(self) -> Tensor:
        """Covariance matrices, ``[B, D, D]``."""
        return self.scale_tril @ self.scale_tril.mT

    def _whitened(self, columns: Tensor) -> Tensor:
        """L⁻¹ of columns ``[B, D, N]``."""
        whitened: Tensor = torch.linalg.solve_triangular(self.scale_tril, columns, upper=False)
        return whitened

    def _log_scale(self) -> Tensor:
        """Log det L, ``[B]``."""
        return self.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
