"""Hamiltonian Monte Carlo on the latents of many images, with many chains for each, at once."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from vaesearch.evaluation.joint import Joint, Point

STEP_RANGE = (1e-4, 0.5)
WANTED_ACCEPTANCE = 0.65
LONGER, SHORTER = 1.02, 0.98


@dataclass(frozen=True)
class Chains:
    """C chains for each of B images, and how they have moved so far.

    Attributes:
        at: where they are, ``[C, B, D]``.
        step: size of each chain's leapfrog steps, ``[C, B]``.
        accepted: how many of each chain's proposals were taken, ``[C, B]``.
        proposed: how many there were.
    """

    at: Point
    step: Tensor
    accepted: Tensor
    proposed: int = 0

    @property
    def acceptance(self) -> Tensor:
        """Share of the proposals that were taken, ``[C, B]``."""
        return self.accepted / max(1, self.proposed)


def start_chains(joint: Joint, z: Tensor, step: float) -> Chains:
    """Chains at ``z``, ``[C, B, D]``."""
    at = joint.point(z)
    return Chains(at, torch.full_like(at.log_prior, step), torch.zeros_like(at.log_prior))


def move(
    joint: Joint,
    chains: Chains,
    temperature: float,
    leapfrogs: int,
    generator: torch.Generator | None,
) -> Chains:
    """One proposal per chain, which leaves p(z) p(x|z)^temperature as it is (Neal 2011).

    Afterwards each chain's step grows by 2 % if it has taken more than .65 of its proposals so
    far, and else shrinks by 2 % (Wu et al. 2017). A trajectory that leaves the numbers is
    refused.
    """
    start = chains.at
    momentum = torch.empty_like(start.z).normal_(generator=generator)
    threshold = torch.empty_like(start.log_prior).uniform_(generator=generator).log_()
    end, after = _leapfrog(joint, start, momentum, chains.step, temperature, leapfrogs)
    gain = end.log_density(temperature) - start.log_density(temperature)
    gain -= _kinetic(after) - _kinetic(momentum)
    taken = threshold < gain  # False where the gain is no number
    accepted = chains.accepted + taken
    proposed = chains.proposed + 1
    grows = accepted > WANTED_ACCEPTANCE * proposed
    step = (chains.step * torch.where(grows, LONGER, SHORTER)).clamp_(*STEP_RANGE)
    return Chains(_choose(taken, end, start), step, accepted, proposed)


def _leapfrog(
    joint: Joint, at: Point, momentum: Tensor, step: Tensor, temperature: float, count: int
) -> tuple[Point, Tensor]:
    """Where Hamilton's equations lead in ``count`` steps, and the momentum there."""
    step = step.unsqueeze(-1)
    momentum = torch.addcmul(momentum, step, at.slope(temperature), value=0.5)
    for left in reversed(range(count)):
        at = joint.point(torch.addcmul(at.z, step, momentum))
        share = 1.0 if left else 0.5
        momentum = torch.addcmul(momentum, step, at.slope(temperature), value=share)
    return at, momentum


def _kinetic(momentum: Tensor) -> Tensor:
    return 0.5 * momentum.square().sum(dim=-1)


def _choose(taken: Tensor, new: Point, old: Point) -> Point:
    values = {}
    for field in fields(Point):
        one, other = getattr(new, field.name), getattr(old, field.name)
        mask = taken if one.dim() == taken.dim() else taken.unsqueeze(-1)
        values[field.name] = torch.where(mask, one, other)
    return Point(**values)
