"""What became of every attempt at a pull, from the ledger, and which strike explains its loss."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chaos.agent import OF_NODES, OF_WORKERS, Strike
from vaesearch.events import (
    ArmFailed,
    Event,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchResumed,
)

BEFORE = 4.0  # seconds after a strike in which a worker may still be given a pull in vain


@dataclass(frozen=True)
class Attempt:
    """One dispatch of a pull. ``end`` is finished, failed, or dropped by a driver that died."""

    pull: int
    arm: str
    epochs: int
    since: float
    end: str = "open"
    until: float = 0.0


def attempts(events: Sequence[Event]) -> list[Attempt]:
    """All dispatches, in order; those without an end stay ``open``."""
    flying: dict[int, Attempt] = {}
    done: list[Attempt] = []

    def close(pull: int, end: str, time: float) -> None:
        if pull in flying:
            done.append(replace(flying.pop(pull), end=end, until=time))

    for event in events:
        match event:
            case PullStarted():
                close(event.pull, "twice", event.time)
                flying[event.pull] = Attempt(event.pull, event.arm, event.epochs, event.time)
            case PullFinished():
                close(event.pull, "finished", event.time)
            case PullFailed():
                close(event.pull, "failed", event.time)
            case SearchResumed():
                for pull in list(flying):
                    close(pull, "dropped", event.time)
            case ArmFailed():
                for attempt in [a for a in flying.values() if a.arm == event.arm]:
                    close(attempt.pull, "failed", event.time)
    return sorted([*done, *flying.values()], key=lambda attempt: attempt.since)


@dataclass(frozen=True)
class Loss:
    """An attempt that came to nothing, its strike, and when the pull was under way again."""

    attempt: Attempt
    strike: Strike | None
    again: float | None

    @property
    def seconds(self) -> float | None:
        """From the strike to the next dispatch of the pull; None if either is unknown."""
        if self.strike is None or self.again is None:
            return None
        return self.again - self.strike.time


def losses(events: Sequence[Event], strikes: Sequence[Strike]) -> list[Loss]:
    """Every attempt that did not finish, each with the strike that took it.

    A strike explains at most as many losses as it hit workers.
    """
    every = attempts(events)
    room = {index: strike.hit for index, strike in enumerate(strikes)}
    found = []
    for attempt in every:
        if attempt.end == "finished":
            continue
        index = _cause(attempt, strikes, room)
        if index is not None:
            room[index] -= 1
        again = [a.since for a in every if a.pull == attempt.pull and a.since > attempt.since]
        strike = None if index is None else strikes[index]
        found.append(Loss(attempt, strike, min(again, default=None)))
    return found


def _cause(attempt: Attempt, strikes: Sequence[Strike], room: dict[int, int]) -> int | None:
    """The first strike with room that may have taken the attempt."""
    kinds = ("kill driver",) if attempt.end == "dropped" else (*OF_NODES, *OF_WORKERS)
    for index, strike in enumerate(strikes):
        in_time = attempt.since - BEFORE <= strike.until and strike.time <= attempt.until
        if strike.kind in kinds and in_time and room[index] > 0:
            return index
    return None
