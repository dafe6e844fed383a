"""A VAE as the sum of its axes, built from settings."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vaesearch.errors import InputError
from vaesearch.models.encoders import Shape
from vaesearch.models.latents import Posterior, Prior
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.own import build_module, count_features
from vaesearch.models.pixels import PixelDistribution
from vaesearch.models.priors import FittedMixturePrior
from vaesearch.records import TrialSettings
from vaesearch.seeding import derive


class VAE(nn.Module):
    """Encoder and posterior make q(z|x); decoder and likelihood make p(x|z); the prior is p(z).

    Args:
        settings: which member of each axis, and the sizes.
        shape: ``(C, H, W)`` of the images.

    Attributes:
        aggregate: a mixture fitted to the codes of the training images; None before a search has
            appraised the trained model.

    Raises:
        InputError: the parts do not fit the images or are unknown.
    """

    def __init__(self, settings: TrialSettings, shape: Shape) -> None:
        super().__init__()
        self.settings = settings
        self.shape = shape
        latent_dim, width = settings.latent_dim, settings.width
        self.encoder = build_module("encoders", settings.encoder, shape=shape, width=width)
        self.features = count_features(self.encoder, settings.encoder, shape)
        self.posterior = build_module(
            "posteriors",
            settings.posterior,
            features=self.features,
            latent_dim=latent_dim,
        )
        self.likelihood = build_module("likelihoods", settings.likelihood)
        self.decoder = build_module(
            "decoders",
            settings.decoder,
            latent_dim=latent_dim,
            shape=shape,
            outputs=self.likelihood.outputs(shape[0]),
            width=width,
        )
        self.prior = build_module("priors", settings.prior, latent_dim=latent_dim, shape=shape)
        self.aggregate: FullGaussianMixture | None = None

    def encode(self, x: Tensor) -> Posterior:
        """q(z|x) for images ``[B, C, H, W]`` in [0, 1]."""
        with self._autocast(x):
            features = self.encoder(x)
            posterior: Posterior = self.posterior(features, *self._shared)
        return posterior

    @property
    def _shared(self) -> tuple[nn.Module, ...]:
        """The prior, where the posterior is made of its networks."""
        return (self.prior,) if getattr(self.posterior, "shares_prior", False) else ()

    def encode_made(self, x: Tensor) -> Posterior:
        """q(z|x) for pictures that the model made itself, ``[B, C, H, W]`` in [0, 1].

        They are normalised by the running statistics of images, as in evaluation: a batch of
        their own would hide what sets them apart from images, and enter the running average.
        """
        with _in_evaluation(self.encoder):
            return self.encode(x)

    def latent_prior(self) -> Prior:
        """p(z)."""
        prior: Prior = self.prior(self.encode_made)
        return prior

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
    def sample(
        self, count: int, generator: torch.Generator, *, from_aggregate: bool = False
    ) -> Tensor:
        """``count`` pictures ``[count, C, H, W]`` in [0, 1], the means of p(x|z).

        Args:
            count: how many.
            generator: of z, on the model's device.
            from_aggregate: draw z from the mixture ``aggregate`` instead of the prior.

        Raises:
            InputError: the model has no such mixture.
        """
        if from_aggregate and self.aggregate is None:
            raise InputError("this model has no mixture to sample from; load it from a model.pt.")
        prior = (self.aggregate if from_aggregate else None) or self.latent_prior()
        return self.decode(prior.sample(count, generator)).mean

    def take_aggregate(self, mixture: FullGaussianMixture) -> None:
        """Keep the mixture; with ``--prior gmm`` it is the prior from now on."""
        self.aggregate = mixture
        if isinstance(self.prior, FittedMixturePrior):
            self.prior.fitted = mixture

    def _autocast(self, x: Tensor) -> torch.autocast:
        """bfloat16 inside the networks only; every loss and log-determinant is float32."""
        enabled = self.settings.precision == "bfloat16"
        # On meta tensors, which have shapes only, there is no autocast, nor any need of it.
        device = "cpu" if x.is_meta else x.device.type
        return torch.autocast(device, torch.bfloat16, enabled=enabled)


@contextmanager
def _in_evaluation(module: nn.Module) -> Iterator[None]:
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


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
