"""KL divergences between posteriors of the same images."""

import torch
from torch import Tensor

from vaesearch.models.latents.diagonal import DiagonalGaussian
from vaesearch.models.latents.full import FullGaussian
from vaesearch.models.latents.protocols import Posterior


def has_density(posterior: Posterior) -> bool:
    """Whether log q(z|x) can be had at any z; with an auxiliary variable it cannot."""
    return hasattr(posterior, "log_prob")


def kl_divergence(q: Posterior, p: Posterior, generator: torch.Generator | None = None) -> Tensor:
    """KL(q || p) in nats, ``[B]``; not symmetric.

    In closed form between Gaussians of one kind, and else log q(z) - log p(z) at one sample z of
    q: right on average, and no longer above 0 for each image.

    Args:
        q: what the expectation is taken over.
        p: must have a density.
        generator: of the sample.
    """
    if isinstance(q, DiagonalGaussian) and isinstance(p, DiagonalGaussian):
        return q.kl_to(p)
    if isinstance(q, FullGaussian) and isinstance(p, FullGaussian):
        return q.kl_to(p)
    z, log_q = q.rsample_and_log_prob(generator)
    return log_q - p.log_prob(z)
