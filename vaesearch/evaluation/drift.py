"""How far a code moves when the reconstruction is encoded again (Liu, Lin & Clark 2020)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.models.latents import GaussianPosterior, Posterior, has_density, kl_divergence
from vaesearch.models.vae import VAE


@dataclass(frozen=True)
class Drift:
    """The encodings of N images, of their reconstructions, of theirs in turn, T times over.

    Attributes:
        codes: the means of the encodings, ``[T + 1, N, D]``; those of the images come first.
        covariances: of the encodings, ``[T + 1, N, D, D]``; None where they are no Gaussians.
        divergences: KL(z'||z) in nats of each encoding from the one before it, ``[T, N]``; None
            where the posterior has no density.
    """

    codes: Tensor
    covariances: Tensor | None
    divergences: Tensor | None


@torch.no_grad()
def drift(
    model: VAE, x: Tensor, times: int = 1, generator: torch.Generator | None = None
) -> Drift:
    """Encode, reconstruct from the mean code, and encode again, ``times`` times.

    Args:
        model: in evaluation mode.
        x: images ``[N, C, H, W]`` in [0, 1].
        times: T.
        generator: of the divergences that must be estimated, those of flows.
    """
    encodings = [model.encode(x)]
    for _ in range(times):
        encodings.append(model.encode_made(model.decode(encodings[-1].mean).mean))
    return Drift(
        torch.stack([encoding.mean for encoding in encodings]).float(),
        _covariances(encodings),
        _divergences(encodings, generator),
    )


def _covariances(encodings: list[Posterior]) -> Tensor | None:
    gaussian = [q.covariance() for q in encodings if isinstance(q, GaussianPosterior)]
    return torch.stack(gaussian).float() if len(gaussian) == len(encodings) else None


def _divergences(encodings: list[Posterior], generator: torch.Generator | None) -> Tensor | None:
    if not all(has_density(encoding) for encoding in encodings):
        return None
    pairs = zip(encodings[1:], encodings[:-1], strict=True)
    return torch.stack([kl_divergence(after, before, generator) for after, before in pairs])
