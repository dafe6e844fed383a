"""A VAE as the sum of its axes, built from settings."""

import torch
from torch import Tensor, nn

from vaesearch import catalogue
from vaesearch.models.distributions import DiagonalGaussian, PixelDistribution
from vaesearch.models.encoders import Shape
from vaesearch.records import TrialSettings
from vaesearch.seeding import derive


class VAE(nn.Module):
    """Encoder and posterior make q(z|x); decoder and likelihood make p(x|z); the prior is N(0, I).

    Args:
        settings: which member of each axis, and the sizes.
        shape: ``(C, H, W)`` of the images.

    Raises:
        InputError: the parts do not fit the images or are unknown.
    """

    def __init__(self, settings: TrialSettings, shape: Shape) -> None:
        super().__init__()
        self.settings = settings
        self.shape = shape
        latent_dim, width = settings.latent_dim, settings.width
        self.encoder = catalogue.build("encoders", settings.encoder, shape=shape, width=width)
        self.posterior = catalogue.build(
            "posteriors",
            settings.posterior,
            features=self.encoder.features,
            latent_dim=latent_dim,
        )
        self.decoder = catalogue.build(
            "decoders", settings.decoder, latent_dim=latent_dim, shape=shape, width=width
        )
        self.likelihood = catalogue.build("likelihoods", settings.likelihood)

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """q(z|x) for images ``[B, C, H, W]`` in [0, 1]."""
        with self._autocast(x):
            features = self.encoder(x)
            posterior: DiagonalGaussian = self.posterior(features)
        return posterior

    def decode(self, z: Tensor, fit_to: Tensor | None = None) -> PixelDistribution:
        """p(x|z) for latents ``[B, D]``; ``fit_to`` are the images, in training."""
        with self._autocast(z):
            parameters = self.decoder(z)
        pixels: PixelDistribution = self.likelihood(parameters, fit_to)
        return pixels

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions ``[B, C, H, W]`` in [0, 1] from the posterior mean."""
        return self.decode(self.encode(x).mean).mean

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` pictures ``[B, C, H, W]`` in [0, 1] decoded from the prior."""
        device = next(self.parameters()).device
        z = torch.randn(count, self.settings.latent_dim, generator=generator, device=device)
        return self.decode(z).mean

    def _autocast(self, x: Tensor) -> torch.autocast:
        """bfloat16 inside the networks only; every loss and log-determinant is float32."""
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(x.device.type, torch.bfloat16, enabled=enabled)


def build_model(settings: TrialSettings, shape: Shape, seed: int = 0) -> VAE:
    """A freshly initialised VAE on the CPU; the same seed gives the same weights everywhere.

    torch's initialisers draw from the global generator only, so it is set here and put back.

    Raises:
        InputError: the parts do not fit the images or are unknown.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights"))
        return VAE(settings, shape)


def count_parameters(settings: TrialSettings, shape: Shape) -> int:
    """Trainable parameters, found without allocating them.

    Raises:
        InputError: the parts do not fit the images or are unknown.
    """
    with torch.device("meta"):
        model = VAE(settings, shape)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
