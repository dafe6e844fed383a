"""One latent moved at a time, with the others held."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.evaluation.pictures import BATCH
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.vae import VAE


@dataclass(frozen=True)
class Ranking:
    """Latents by how much of an image they carry.

    Attributes:
        scores: of each latent, ``[D]``.
        measure: what the scores are.
    """

    scores: Tensor
    measure: str

    @property
    def order(self) -> list[int]:
        """The latents, the one with the highest score first; of equals the lower number."""
        order: list[int] = torch.argsort(self.scores, descending=True, stable=True).tolist()
        return order


@torch.no_grad()
def rank_latents(model: VAE, images: Tensor) -> Ranking:
    """Rank latents by their KL to N(0, 1) in nats, mean over images.

    Only a diagonal Gaussian has one for each latent. For other posteriors the score is the
    variance of the codes over images (Burda et al. 2016, section 5.1).

    Args:
        model: in evaluation mode.
        images: uint8 ``[N, C, H, W]`` on the model's device.
    """
    posteriors = [model.encode(part.float().div(255)) for part in torch.split(images, BATCH)]
    diagonal = [q for q in posteriors if isinstance(q, DiagonalGaussian)]
    if len(diagonal) == len(posteriors):
        divergences = torch.cat([q.kl_by_dimension() for q in diagonal])
        return Ranking(divergences.mean(dim=0), "KL in nats")
    codes = torch.cat([q.mean for q in posteriors])
    return Ranking(codes.var(dim=0, correction=0), "variance over images")


def traversal(start: Tensor, latents: Sequence[int], values: Tensor) -> Tensor:
    """Latents ``[L, V, D]``: in row l, latent ``latents[l]`` of ``start`` takes each value.

    Args:
        start: the point ``[D]`` that all others are held at.
        latents: which to move, one for each row.
        values: ``[V]``.
    """
    z = start.repeat(len(latents), len(values), 1)
    for row, latent in enumerate(latents):
        z[row, :, latent] = values.to(z)
    return z
