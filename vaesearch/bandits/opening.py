"""When one more arm should join a search that can have arms without end, and in which group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from vaesearch.bandits.core import History

CATCH_UP = 0.5  # of the epochs of the furthest arm, that must be left for one more


@dataclass(frozen=True)
class Opening:
    """Leave for one more arm to join.

    Attributes:
        group: that it is to be of, one of those offered.
        reason: one line for a person.
    """

    group: str
    reason: str


@runtime_checkable
class Opener(Protocol):
    """Decides on openings; a policy that is made for arms without end is one itself."""

    def opening(
        self, history: History, groups: Sequence[str], rng: np.random.Generator
    ) -> Opening | None:
        """Whether an arm should join before the next pull; None for not now.

        Called whenever a worker is free, while the budget lasts and arms may join. If no arm can
        be pulled and nothing is in flight, it must open, or the search ends. Must be a pure
        function of its arguments.
        """
        ...


@dataclass(frozen=True)
class LiveSet:
    """Keeps ``live`` arms open, for policies that know of no openings: those cut are replaced.

    The group with the fewest arms so far is next.
    """

    live: int = 5

    def opening(
        self, history: History, groups: Sequence[str], rng: np.random.Generator
    ) -> Opening | None:
        """One in the place of each arm that is cut, failed, or has all the epochs it may have."""
        going = [a for a in history.arms if a.status == "open" and a.epochs < history.cap(a)]
        if len(going) >= self.live:
            return None
        return Opening(smallest_group(history, groups), f"{len(going)} of {self.live} live")


def smallest_group(history: History, groups: Sequence[str]) -> str:
    """The group with the fewest arms so far, of equals the first."""
    sizes = {group: sum(a.group == group for a in history.arms) for group in groups}
    return min(groups, key=lambda group: sizes[group])


def worth_opening(history: History) -> bool:
    """Whether there is time for one more arm to catch up with the one that is furthest.

    Half of its epochs must be left; a better arm passes it before they are equally far. Where
    nobody else can be pulled, one may join anyway: if nothing is in flight, or if the budget is
    in seconds, of which a worker that waits gets nothing.
    """
    if not history.candidates and (not history.pending or history.budget.seconds is not None):
        return epochs_left(history) >= 1
    furthest = max((arm.epochs for arm in history.arms if arm.status != "failed"), default=0)
    return epochs_left(history) >= CATCH_UP * furthest


def epochs_left(history: History) -> float:
    """Epochs that one more arm could have: of the budget, or of the seconds at a typical cost."""
    left = history.epochs_left
    if history.budget.seconds is not None and history.typical_cost:
        time = history.seconds_left - (history.typical_switch_cost or 0.0)
        left = min(left, max(0.0, time) / history.typical_cost)
    return left
