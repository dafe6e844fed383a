"""Gradient ascent on the bounds of many images at once."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.local.core import LocalPosterior
from vaesearch.models.latents import Posterior

DRAWN = 50  # samples at once: a matter of memory, but the noise depends on it
JUDGED = 200  # samples that decide between the start and the end of an ascent

Streams = Callable[[str], torch.Generator]
Local = TypeVar("Local", bound=LocalPosterior)


@dataclass(frozen=True)
class Ascent:
    """How a local posterior is optimised: Adam in windows of steps, at a rate that falls.

    After a window whose mean bound is no better than the best one so far the rate falls by
    ``decay``; the ascent ends when it has fallen ``falls`` times. Cremer et al. 2018 end at a
    constant rate after 10 windows of 100 steps without improvement: then the last steps are as
    rough as the first ones.

    Attributes:
        rate: of Adam, for means and variances in units of where they start.
        slow_rate: for the weights of networks.
        samples: of z per image and step, in pairs of opposite noise.
        window: steps in a window.
        decay: of both rates.
        falls: of the rates until the end.
        most: steps, however the bound rises.
    """

    rate: float = 0.05
    slow_rate: float = 0.005
    samples: int = 4
    window: int = 50
    decay: float = 0.3
    falls: int = 3
    most: int = 3000


@dataclass(frozen=True)
class Course:
    """How an ascent went: the mean bound in nats of each window, and the steps it took."""

    bounds: tuple[float, ...]
    steps: int


@torch.no_grad()
def log_weights(
    q: Posterior, joint: Joint, generator: torch.Generator | None, samples: int
) -> Tensor:
    """Log p(x, z) - log q(z|x) of so many samples, in nats, ``[samples, B]``.

    Their mean is the bound, and the log of their mean the importance-weighted one.
    """
    parts = []
    for start in range(0, samples, DRAWN):
        z, log_q = q.rsample_and_log_prob(generator, min(DRAWN, samples - start))
        parts.append(joint(z) - log_q)
    return torch.cat(parts)


def improve(local: Local, joint: Joint, streams: Streams, ascent: Ascent) -> tuple[Local, Course]:
    """Maximise the bound of every image over its parameters in ``local``, in place.

    An image for which the bound at the end is no better than at the start keeps its start.

    Args:
        local: where to start.
        joint: of the images.
        streams: gives a new stream of noise for a name.
        ascent: how.
    """
    start = deepcopy(local)
    course = ascend(local, joint, streams("ascent"), ascent)
    keep_better(local.requires_grad_(False), start, joint, streams)
    return local, course


@torch.no_grad()
def keep_better(local: Local, other: Local, joint: Joint, streams: Streams) -> None:
    """Give ``local`` the parameters of ``other`` for the images whose bound is not lower there.

    That is judged with noise of its own, the same for both: judged by the figures that are
    reported, the better of two would be a little too good.
    """
    bounds = [
        log_weights(each(), joint, streams("judge"), JUDGED).mean(dim=0) for each in (local, other)
    ]
    worse = ~(bounds[0] > bounds[1])  # also where there is no number
    # All tensors of a local posterior have the images first.
    states = local.state_dict(), other.state_dict()
    for name, mine in states[0].items():
        mine[worse] = states[1][name][worse]


def ascend(
    local: LocalPosterior, joint: Joint, generator: torch.Generator, ascent: Ascent
) -> Course:
    """Maximise the bound of every image over its parameters in ``local``, in place."""
    slow = local.slow()
    others = {id(p) for p in slow}
    fast = [p for p in local.parameters() if id(p) not in others and p.requires_grad]
    groups = [{"params": fast, "lr": ascent.rate}, {"params": slow, "lr": ascent.slow_rate}]
    adam = torch.optim.Adam([g for g in groups if g["params"]], fused=True)
    bounds: list[float] = []
    best, falls = -math.inf, 0
    while falls < ascent.falls and len(bounds) * ascent.window < ascent.most:
        bound = _window(local, joint, generator, adam, ascent)
        if not bound > best:
            falls += 1
            for group in adam.param_groups:
                group["lr"] *= ascent.decay
        best = max(best, bound)
        bounds.append(bound)
    return Course(tuple(bounds), len(bounds) * ascent.window)


def _window(
    local: LocalPosterior,
    joint: Joint,
    generator: torch.Generator,
    adam: torch.optim.Adam,
    ascent: Ascent,
) -> float:
    """A window of steps; the mean bound over its steps and images."""
    total = torch.zeros((), dtype=torch.float64, device=joint.x.device)
    for _ in range(ascent.window):
        adam.zero_grad()
        z, log_q = local(paired=True).rsample_and_log_prob(generator, ascent.samples)
        there = joint.point(z)
        # The gradient of log p(x, z) goes on into the parameters by way of z.
        cost = (log_q.sum() - (there.slope(1.0) * z).sum()) / ascent.samples
        cost.backward()
        adam.step()
        # Without images whose parameters left the numbers: they are on their own.
        total += (there.log_density(1.0) - log_q.detach()).double().nanmean()
    return (total / ascent.window).item()
