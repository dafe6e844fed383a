"""What a person wants to see of a model."""

import numpy as np
import torch
from torch import Tensor

from vaesearch.models.latents import Prior
from vaesearch.models.vae import VAE
from vaesearch.seeding import torch_generator

BATCH = 250  # decoded or encoded at once; fixed, so that the noise of draws is


@torch.no_grad()
def pictures(
    model: VAE, images: Tensor, mixture: Prior, count: int, seed: int
) -> dict[str, np.ndarray]:
    """Pictures as uint8 ``[N, C, H, W]``, and how unsure the model is of them.

    Args:
        model: left in evaluation mode.
        images: uint8 ``[N, C, H, W]`` on the model's device.
        mixture: fitted to codes of training images.
        count: of samples.
        seed: of the samples.

    Returns:
        ``originals``: the images; ``reconstructions`` of them; ``samples``: ``count`` decoded
        from ``mixture``; ``prior_samples``: ``count`` from the prior. Where the decoder predicts
        a spread for each pixel, also ``reconstruction_deviations`` and ``sample_deviations``:
        its standard deviations, float32 in units of [0, 1].
    """
    model.eval()
    generator = torch_generator(seed, "samples", device=images.device)
    codes = mixture.sample(count, torch_generator(seed, "mixture", device=images.device))
    restored = model.decode(model.encode(images.float().div(255)).mean)
    sampled = model.decode(codes)
    shown = {
        "originals": images.cpu().numpy(),
        "reconstructions": to_levels(restored.mean),
        "samples": to_levels(sampled.mean),
        "prior_samples": to_levels(model.sample(count, generator)),
    }
    # A likelihood of a user's own may not say.
    if getattr(model.likelihood, "predicts_spread", False):
        shown["reconstruction_deviations"] = restored.standard_deviation.float().cpu().numpy()
        shown["sample_deviations"] = sampled.standard_deviation.float().cpu().numpy()
    return shown


@torch.no_grad()
def shown_at(model: VAE, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Pictures ``[N, C, H, W]`` in [0, 1] of latents ``[N, D]``.

    Args:
        model: in evaluation mode.
        z: on the model's device.
        generator: of draws from p(x|z), if those are wanted instead of its mean.
    """
    parts = []
    for part in torch.split(z, BATCH):
        pixels = model.decode(part)
        parts.append(pixels.mean if generator is None else pixels.sample(generator))
    return torch.cat(parts).float()


@torch.no_grad()
def deviations_at(model: VAE, z: Tensor) -> Tensor:
    """Standard deviations of p(x|z), ``[N, C, H, W]`` in units of [0, 1], for ``[N, D]``."""
    return torch.cat(
        [model.decode(part).standard_deviation for part in torch.split(z, BATCH)]
    ).float()


@torch.no_grad()
def codes_of(model: VAE, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Codes ``[N, D]`` of images, uint8 ``[N, C, H, W]``.

    They are what q(z|x) has for a mean, or samples of it where there is a ``generator``.
    """
    parts = []
    for part in torch.split(images, BATCH):
        posterior = model.encode(part.float().div(255))
        parts.append(posterior.mean if generator is None else posterior.rsample(generator))
    return torch.cat(parts).float()


def to_levels(x: Tensor) -> np.ndarray:
    """Pictures in [0, 1] as uint8 levels."""
    return x.mul(255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
