"""What a person wants to see of a model."""

import numpy as np
import torch
from torch import Tensor

from vaesearch.models.latents import Prior
from vaesearch.models.vae import VAE
from vaesearch.seeding import torch_generator


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
        "reconstructions": _to_bytes(restored.mean),
        "samples": _to_bytes(sampled.mean),
        "prior_samples": _to_bytes(model.sample(count, generator)),
    }
    # A likelihood of a user's own may not say.
    if getattr(model.likelihood, "predicts_spread", False):
        shown["reconstruction_deviations"] = restored.standard_deviation.float().cpu().numpy()
        shown["sample_deviations"] = sampled.standard_deviation.float().cpu().numpy()
    return shown


def _to_bytes(x: Tensor) -> np.ndarray:
    return x.mul(255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
