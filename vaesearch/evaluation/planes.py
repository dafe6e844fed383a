"""Two directions in the space of latents, to draw it on paper."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Plane:
    """Two orthonormal directions through the origin, so that N(0, I) stays N(0, I) on it.

    Attributes:
        axes: the directions, ``[2, D]``.
        names: of the directions.
    """

    axes: Tensor
    names: tuple[str, str]

    def points(self, z: Tensor) -> Tensor:
        """Latents ``[..., D]`` on the plane, ``[..., 2]``."""
        return z @ self.axes.T.to(z)

    def spreads(self, covariances: Tensor) -> Tensor:
        """Covariances ``[..., D, D]`` on the plane, ``[..., 2, 2]``."""
        axes = self.axes.to(covariances)
        return axes @ covariances @ axes.T


def plane_of_latents(first: int, second: int, latent_dim: int) -> Plane:
    """The plane of two latents."""
    axes = torch.eye(latent_dim)[[first, second]]
    return Plane(axes, (f"latent {first}", f"latent {second}"))


def widest_latents(codes: Tensor) -> tuple[int, int]:
    """The two latents in which codes ``[N, D]`` vary most, in the order of their numbers."""
    order = torch.argsort(codes.var(dim=0, correction=0), descending=True, stable=True)
    first, second = sorted(order[:2].tolist())
    return first, second


def principal_plane(codes: Tensor) -> Plane:
    """The first two principal directions of codes ``[N, D]``.

    A direction's sign is such that its largest part is positive.
    """
    centred = codes.double() - codes.double().mean(dim=0)
    variances, directions = torch.linalg.eigh(centred.T @ centred)
    axes = directions.flip(1)[:, :2].T
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    axes = axes * torch.where(largest < 0, -1.0, 1.0)
    total = variances.sum().clamp_min(torch.finfo(torch.float64).tiny)
    shares = (variances.flip(0)[:2] / total).tolist()
    first, second = (
        f"{place} principal direction ({share:.0%} of the variance)"
        for place, share in zip(("first", "second"), shares, strict=True)
    )
    return Plane(axes.float(), (first, second))
