"""Annealed importance sampling: log p(x) by way of p(z) p(x|z)^t for t from 0 to 1 (Neal 2001).

The mean of its estimate is a lower bound on log p(x), which rises to it with the number of
temperatures, whatever the posterior of the model is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import unknown_name
from vaesearch.evaluation.hmc import move, start_chains
from vaesearch.evaluation.joint import Joint
from vaesearch.objectives.importance import log_mean_exp

SCHEDULES = ("linear", "sigmoidal")
STEEPNESS = 4.0  # delta of the sigmoidal schedule (Wu et al. 2017)
FIRST_STEP = 0.1
LEAPFROGS = 10


@dataclass(frozen=True)
class Annealed:
    """What annealing found for B images with C chains each.

    Attributes:
        log_weights: log of the importance weights in nats, ``[C, B]``; from the posterior to the
            prior those of 1 / p(x).
        acceptance: share of each image's proposals that were taken, ``[B]``.
        is_reverse: whether the chains went from the posterior to the prior.
    """

    log_weights: Tensor
    acceptance: Tensor
    is_reverse: bool = False

    @property
    def log_p(self) -> Tensor:
        """The estimate of log p(x) in nats, ``[B]``: low in expectation, or high in reverse."""
        estimate = log_mean_exp(self.log_weights)
        return -estimate if self.is_reverse else estimate


def annealed_importance(
    joint: Joint,
    generator: torch.Generator | None,
    *,
    chains: int,
    temperatures: int,
    leapfrogs: int = LEAPFROGS,
    schedule: str = "linear",
    first_step: float = FIRST_STEP,
    exact: Tensor | None = None,
    progress: Callable[[float], None] | None = None,
) -> Annealed:
    """Estimate log p(x) of the images of ``joint``.

    Chains start at draws of the prior; between temperatures they move by Hamiltonian Monte Carlo.
    Their steps adapt to what they have accepted, as in Wu et al. 2017; that leaves the bound only
    nearly exact, by far less than its error in practice.

    Args:
        joint: in float32 or float64; any prior that can be sampled from will do.
        generator: of all noise.
        chains: for each image.
        temperatures: distributions from the prior to the posterior, those two included.
        leapfrogs: gradients per move.
        schedule: of the temperatures, ``linear`` or ``sigmoidal``.
        first_step: size of the leapfrog steps to start with.
        exact: for each image a latent ``[B, D]`` known to be a draw of its posterior, as where
            the image was made from it. The chains then go the other way from there, and the
            estimate is high in expectation (Grosse et al. 2015).
        progress: told the share that is done.

    Raises:
        InputError: a setting is out of range.
    """
    whole("the chains of annealed importance sampling", chains)
    whole("the leapfrogs of annealed importance sampling", leapfrogs)
    path = path_of_temperatures(temperatures, schedule)
    if exact is None:
        images = len(joint.x)
        z = joint.prior.sample(chains * images, generator).detach()
        z = z.to(joint.x.dtype).view(chains, images, z.shape[-1])
    else:
        path.reverse()
        z = exact.expand(chains, *exact.shape).contiguous()
    moving = start_chains(joint, z, first_step)
    log_weights = torch.zeros_like(moving.at.log_prior)
    for before, after in pairwise(path):
        log_weights.add_(moving.at.log_likelihood, alpha=after - before)
        if after != path[-1]:  # a move after the last weight would change nothing
            moving = move(joint, moving, after, leapfrogs, generator)
        if progress is not None:
            progress(abs(after - path[0]))
    return Annealed(log_weights, moving.acceptance.mean(dim=0), exact is not None)


def path_of_temperatures(count: int, schedule: str = "linear") -> list[float]:
    """``count`` temperatures from 0 to 1.

    Raises:
        InputError: an unknown schedule, or fewer than 3.
    """
    whole("the temperatures of annealed importance sampling", count, least=3)
    shares = [step / (count - 1) for step in range(count)]
    if schedule == "linear":
        return shares
    if schedule != "sigmoidal":
        raise unknown_name("schedule of temperatures", schedule, SCHEDULES)
    curve = [1 / (1 + math.exp(STEEPNESS * (1 - 2 * share))) for share in shares]
    return [(value - curve[0]) / (curve[-1] - curve[0]) for value in curve]
