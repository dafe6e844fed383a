"""The diagonal Gaussian."""

from torch import Tensor, nn

from vaesearch.models.latents import DiagonalGaussian

LOG_VARIANCE_RANGE = (-14.0, 10.0)


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
        """q(z|x) for features ``[B, F]``.

        The log-variance is clamped far outside what a trained model uses, so that one wild step
        early in training is a bad step and not an infinity.
        """
        log_variance = self.log_variance(features).float().clamp(*LOG_VARIANCE_RANGE)
        return DiagonalGaussian(self.mean(features).float(), log_variance)
