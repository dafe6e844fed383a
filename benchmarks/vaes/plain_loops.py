"""Evaluation as one would write it down: one image after another.

For dense networks with Bernoulli pixels, a diagonal Gaussian posterior and N(0, I) as prior.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.vae import VAE

LOG_2PI = math.log(2 * math.pi)


@torch.no_grad()
def importance_weighted(
    model: VAE, images: Tensor, samples: int, generator: torch.Generator
) -> Tensor:
    """The bound on log p(x) of every image, all samples of an image at once."""
    bounds = []
    for x in images:
        features = model.encoder(x[None])
        mean, log_variance = model.posterior.mean(features), model.posterior.log_variance(features)
        noise = torch.randn(samples, mean.shape[1], generator=generator)
        z = mean + torch.exp(0.5 * log_variance) * noise
        log_q = -0.5 * (noise.square() + log_variance + LOG_2PI).sum(dim=1)
        weights = log_prior(z) + log_likelihood(model, z, x) - log_q
        bounds.append(torch.logsumexp(weights, dim=0) - math.log(samples))
    return torch.stack(bounds)


def annealed(
    model: VAE, images: Tensor, chains: int, temperatures: int, generator: torch.Generator
) -> Tensor:
    """Log p(x) of every image by annealed importance sampling, all chains of an image at once."""
    return torch.stack([_anneal(model, x, chains, temperatures, generator) for x in images])


def _anneal(
    model: VAE, x: Tensor, chains: int, temperatures: int, generator: torch.Generator
) -> Tensor:
    path = torch.linspace(0, 1, temperatures).tolist()
    z = torch.randn(chains, model.settings.latent_dim, generator=generator)
    step = torch.full((chains, 1), 0.1)
    weights, taken = torch.zeros(chains), torch.zeros(chains, 1)
    for nth in range(1, temperatures):
        temperature = path[nth]
        with torch.no_grad():
            weights += (temperature - path[nth - 1]) * log_likelihood(model, z, x)
        moved, accepted = _move(model, x, z, temperature, step, generator)
        z = torch.where(accepted, moved, z)
        taken += accepted
        step = (step * torch.where(taken > 0.65 * nth, 1.02, 0.98)).clamp(1e-4, 0.5)
    return torch.logsumexp(weights, dim=0) - math.log(chains)


def _move(
    model: VAE,
    x: Tensor,
    z: Tensor,
    temperature: float,
    step: Tensor,
    generator: torch.Generator,
    leapfrogs: int = 10,
) -> tuple[Tensor, Tensor]:
    """Where the chains would go, and whether they do."""

    def density(at: Tensor) -> Tensor:
        return log_prior(at) + temperature * log_likelihood(model, at, x)

    def slope(at: Tensor) -> Tensor:
        at = at.detach().requires_grad_()
        return torch.autograd.grad(density(at).sum(), at)[0]

    first = torch.randn(z.shape, generator=generator)
    at, momentum = z, first + 0.5 * step * slope(z)
    for left in reversed(range(leapfrogs)):
        at = at + step * momentum
        momentum = momentum + (1.0 if left else 0.5) * step * slope(at)
    with torch.no_grad():
        energy = density(at) - 0.5 * momentum.square().sum(dim=1)
        before = density(z) - 0.5 * first.square().sum(dim=1)
    threshold = torch.rand(len(z), generator=generator).log()
    return at, (threshold < energy - before)[:, None]


def log_prior(z: Tensor) -> Tensor:
    """Of N(0, I)."""
    return -0.5 * (z.square() + LOG_2PI).sum(dim=1)


def log_likelihood(model: VAE, z: Tensor, x: Tensor) -> Tensor:
    """Of one image ``[C, H, W]`` given latents ``[K, D]``."""
    logits = model.decoder(z)
    loss = F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none")
    return -loss.flatten(1).sum(dim=1)
