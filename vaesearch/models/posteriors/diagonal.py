"""The diagonal Gaussian."""

from torch import Tensor, nn

from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.posteriors.heads import at_least_float32, bounded_log_variance


class DiagonalGaussianPosterior(nn.Module):
    """Diagonal Gaussian with linear heads for mean and log-variance (Kingma & Welling 2014).

    Args:
        features: size of the encoder's output.
        latent_dim: size of z.
    """

    def __init__(self, *, features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)
        self.log_variance = nn.Linear(features, latent_dim)

    def forward(self, features: Tensor) -> DiagonalGaussian:
        """q(z|x) for features ``[B, F]``."""
        log_variance = bounded_log_variance(self.log_variance(features))
        return DiagonalGaussian(at_least_float32(self.mean(features)), log_variance)
