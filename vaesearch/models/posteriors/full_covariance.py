"""The Gaussian with full covariance."""

import torch
from torch import Tensor, nn

from vaesearch.models.latents import FullGaussian
from vaesearch.models.posteriors.heads import at_least_float32, bounded_log_variance

# Of the entries that mix latents: inverses of L stay finite, and correlations reach 0.995.
MOST_MIXING = 10.0


class FullCovariancePosterior(nn.Module):
    """Gaussian whose mean, variances and correlations are linear in the features.

    Each latent's variance has the bounds that it has in the diagonal Gaussian; the rows of the
    Cholesky factor say how it mixes with the latents before it. It costs D (D - 1) / 2 outputs
    more than the diagonal one, and D² operations per sample. It starts as a diagonal Gaussian.

    Args:
        features: size of the encoder's output.
        latent_dim: size D of z.
    """

    def __init__(self, *, features: int, latent_dim: int) -> None:
        super().__init__()
        mixing = latent_dim * (latent_dim - 1) // 2
        self.sizes = [latent_dim, latent_dim, mixing]
        self.heads = nn.Linear(features, sum(self.sizes))
        with torch.no_grad():
            self.heads.weight[2 * latent_dim :].zero_()
            self.heads.bias[2 * latent_dim :].zero_()

    def forward(self, features: Tensor) -> FullGaussian:
        """q(z|x) for features ``[B, F]``."""
        mean, log_variance, mixing = self.heads(features).split(self.sizes, dim=-1)
        mixing = MOST_MIXING * torch.tanh(at_least_float32(mixing) / MOST_MIXING)
        factor = cholesky_factor(bounded_log_variance(log_variance), mixing)
        return FullGaussian(at_least_float32(mean), factor)


def cholesky_factor(log_variance: Tensor, mixing: Tensor) -> Tensor:
    """Lower triangular L ``[..., D, D]`` such that L Lᵀ has the given variances.

    Args:
        log_variance: of each latent, ``[..., D]``.
        mixing: below the diagonal, row by row, ``[..., D (D - 1) / 2]``; row i of L is
            proportional to (mixing of i, 1), and scaled to the standard deviation of latent i.
    """
    dims = log_variance.shape[-1]
    identity = torch.eye(dims, dtype=mixing.dtype, device=mixing.device)
    below = torch.ones_like(identity, dtype=torch.bool).tril(-1)
    rows = identity.expand(*log_variance.shape, dims).masked_scatter(below, mixing)
    scale = torch.exp(0.5 * log_variance) * rows.square().sum(dim=-1).rsqrt()
    return scale.unsqueeze(-1) * rows
