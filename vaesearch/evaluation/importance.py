"""The importance-weighted bound on log p(x) with many samples per image (Burda et al. 2016)."""

from dataclasses import replace

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.models.latents import Prior
from vaesearch.models.vae import VAE
from vaesearch.objectives.importance import decode_all, log_mean_exp

PICTURES = 4000  # decoded at once


@torch.no_grad()
def iwae(
    model: VAE,
    x: Tensor,
    generator: torch.Generator | None,
    samples: int,
    *,
    prior: Prior | None = None,
    as_mass: bool = False,
) -> Tensor:
    """Log of the mean of exactly ``samples`` importance weights, in nats, ``[B]``.

    Args:
        model: in evaluation mode.
        x: images ``[B, C, H, W]`` in [0, 1]; encoded once, decoded in parts.
        generator: of the samples of z, which do not depend on ``prior``.
        samples: K; with 1 it is a sample of the ELBO.
        prior: in place of the model's, such as a mixture fitted to its codes.
        as_mass: score pixels by the probability of their levels, for bits/dim.

    Raises:
        InputError: ``samples`` is no whole number, or below 1.
    """
    left = whole("the samples of an importance-weighted bound", samples)
    posterior = model.encode(x)
    parts = []
    while left:
        count = min(left, max(1, PICTURES // len(x)))
        z, log_q = posterior.rsample_and_log_prob(generator, count)
        draws = decode_all(model, x, posterior, z, log_q, as_mass=as_mass)
        if prior is not None:
            draws = replace(draws, log_prior=prior.log_prob(z))
        parts.append(draws.log_weights())
        left -= count
    return log_mean_exp(torch.cat(parts))
