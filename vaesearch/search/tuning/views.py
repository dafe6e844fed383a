"""What a policy is shown where several objectives count: ranks in place of rewards.

At each epoch an arm is compared with all arms that got so far, by the figures of the checkpoint
that each would hand out then. Its reward at epoch n is n less its place among them as a share, so
it lies in (n - 1, n]: at equal epochs the better arm has the higher one, and the highest reward up
to an epoch is the one at that epoch. A policy that compares arms at equal epochs and only by which
is better (trait ``ranks`` in the catalogue) so keeps an even spread of the whole front;
projections of these rewards mean nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from vaesearch.bandits.core import ArmHistory, History
from vaesearch.search.controller import View
from vaesearch.search.state import ArmState, SearchState
from vaesearch.search.tuning.figures import figures, signs
from vaesearch.search.tuning.fronts import order

Losses = tuple[float, ...]


def make_view(objectives: Sequence[str]) -> View:
    """The view for these objectives; with a single one, rewards as they are."""
    if len(objectives) < 2:
        return lambda history, state: history
    return lambda history, state: ranked(history, state, objectives)


def ranked(history: History, state: SearchState, objectives: Sequence[str]) -> History:
    """The history with ranks in place of rewards.

    Args:
        history: of the search, now.
        state: with the figures of each epoch.
        objectives: that make the rank.
    """
    curves = {
        arm.name: losses_by_epoch(state.arms[arm.name], objectives)
        for arm in history.arms
        if arm.status != "failed"
    }
    places: dict[str, list[float]] = {name: [] for name in curves}
    for epoch in range(1, 1 + max(map(len, curves.values()), default=0)):
        there = [name for name, curve in curves.items() if len(curve) >= epoch]
        ordered = _shares(tuple(curves[name][epoch - 1] for name in there))
        for name, share in zip(there, ordered, strict=True):
            places[name].append(epoch - share)
    arms = tuple(_shown(arm, places.get(arm.name)) for arm in history.arms)
    return replace(history, arms=arms)


def _shown(arm: ArmHistory, rewards: list[float] | None) -> ArmHistory:
    return arm if rewards is None else replace(arm, rewards=tuple(rewards))


def losses_by_epoch(arm: ArmState, objectives: Sequence[str]) -> list[Losses]:
    """After each epoch, the objectives of what could be handed out then; lower is better."""
    found: list[Losses] = []
    best = -math.inf
    for report in arm.reports:
        if report.reward > best or not found:
            best = report.reward
            found.append(losses(arm, objectives, report.epoch))
        else:
            found.append(found[-1])
    return found


def losses(arm: ArmState, objectives: Sequence[str], epoch: int | None = None) -> Losses:
    """The objectives of an arm's best checkpoint; infinite where one was not measured."""
    known = figures(arm, objectives, epoch)
    if known is None:
        return tuple(math.inf for _ in objectives)
    return tuple(-s * value for s, value in zip(signs(objectives), known, strict=True))


@lru_cache(maxsize=512)
def _shares(points: tuple[Losses, ...]) -> tuple[float, ...]:
    """The place of each point among all, as a share from 0 for the best to below 1."""
    places = {point: place for place, point in enumerate(order(points))}
    return tuple(places[i] / len(points) for i in range(len(points)))
