"""A scale and a shift of each latent: the map that the steps of IAF and RealNVP share."""

from collections.abc import Callable

import torch
from torch import Tensor

# Shift and log-scale ``[..., B, D]`` that latents ``[..., B, D]`` decide.
Conditioner = Callable[[Tensor], tuple[Tensor, Tensor]]


def affine(z: Tensor, shift: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift ``z`` ``[..., D]``; the log-determinant ``[...]``."""
    return torch.exp(log_scale) * z + shift, log_scale.sum(dim=-1)


def undo_affine(z: Tensor, shift: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    """What :func:`affine` made ``z`` of; the log-determinant of :func:`affine`."""
    return torch.exp(-log_scale) * (z - shift), log_scale.sum(dim=-1)


def bounded_log_scale(raw: Tensor, most: float) -> Tensor:
    """``raw`` near 0, and never ``most`` or more from it, so that no wild step leaves float32.

    Unlike a gate (a sigmoid) a scale may grow as well as shrink z. Mass that must move far, to
    part the modes of a density, can then be spread first and gathered later.
    """
    return most * torch.tanh(raw / most)
