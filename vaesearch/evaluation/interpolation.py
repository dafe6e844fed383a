"""Paths between codes."""

import torch
from torch import Tensor


def between(first: Tensor, second: Tensor, share: Tensor, *, spherical: bool = False) -> Tensor:
    """Points from ``first`` to ``second``, both ends included.

    Args:
        first: latents ``[..., D]``.
        second: likewise.
        share: of the way, ``[S]`` from 0 to 1.
        spherical: along an arc (White 2016) instead of a line: in many dimensions most of
            N(0, I) lies near a sphere, and the middle of a line lies far inside it. Where the
            codes point in the same direction or in opposite ones, or one is 0, there is no arc,
            and the path is the line.

    Returns:
        ``[S, ..., D]``.
    """
    share = share.to(first).view(-1, *[1] * first.dim())
    line = first + share * (second - first)
    if not spherical:
        return line
    norms = first.norm(dim=-1, keepdim=True) * second.norm(dim=-1, keepdim=True)
    cosine = (first * second).sum(dim=-1, keepdim=True) / norms.clamp_min(1e-12)
    angle = torch.acos(cosine.clamp(-1, 1))
    sine = torch.sin(angle)
    safe = sine.clamp_min(1e-3)
    arc = (torch.sin((1 - share) * angle) * first + torch.sin(share * angle) * second) / safe
    return torch.where((sine > 1e-3) & (norms > 0), arc, line)


def interpolation(corners: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """A path between two codes, or a sheet between four.

    Args:
        corners: ``[2, D]``, or ``[4, D]``: top left, top right, bottom left, bottom right.
        steps: points on each side, the ends included.
        spherical: as for :func:`between`.

    Returns:
        ``[steps, D]``, or ``[steps, steps, D]`` by rows.
    """
    share = torch.linspace(0, 1, steps)
    if len(corners) == 2:
        return between(corners[0], corners[1], share, spherical=spherical)
    left = between(corners[0], corners[2], share, spherical=spherical)
    right = between(corners[1], corners[3], share, spherical=spherical)
    return between(left, right, share, spherical=spherical).transpose(0, 1)
