"""A flow on z and an auxiliary variable v together (Cremer et al. 2018, section 2)."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from vaesearch.models.latents.diagonal import DiagonalGaussian
from vaesearch.models.latents.flow import Flow


class AuxiliaryFlow:
    """q(z|x) as what is left of q(z, v|x) when v is dropped.

    Its density is an integral over v, so there is no ``log_prob``; in its place samples come with
    log q(z, v|x) - log r(v|x, z), which on average is above log q(z|x) by KL(q(v|x, z) || r).

    Args:
        joint: q(z, v|x), over ``[B, 2 D]``, z first.
        reverse: r(v|x, z) for z ``[..., B, D]``.
    """

    def __init__(self, joint: Flow, reverse: Callable[[Tensor], DiagonalGaussian]) -> None:
        self.joint = joint
        self.reverse = reverse

    @cached_property
    def mean(self) -> Tensor:
        """Where the base's mean goes, ``[B, D]``: a code of high density, not the exact mean."""
        return self.joint.mean.chunk(2, dim=-1)[0]

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """A sample ``[B, D]`` or ``[count, B, D]``."""
        return self.joint.rsample(generator, count).chunk(2, dim=-1)[0]

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample and log q(z, v|x) - log r(v|x, z), ``[B]`` or ``[count, B]``."""
        both, log_prob = self.joint.rsample_and_log_prob(generator, count)
        z, v = both.chunk(2, dim=-1)
        return z, log_prob - self.reverse(z).log_prob(v)
