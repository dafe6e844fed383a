"""When one more arm should join a search that can have arms without end, and in which group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from vaesearch.bandits.core import History


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
