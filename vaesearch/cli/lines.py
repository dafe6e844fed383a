"""What a search does, in plain lines: for log files and wherever a live table cannot be drawn.

An observer is called with every ledger event and the state after it. It writes to its console
only, which the command puts on stderr, so that stdout stays free for ``--json``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console

from vaesearch.events import (
    ArmAppraised,
    ArmCut,
    ArmFailed,
    Event,
    PullFailed,
    PullFinished,
    SearchFinished,
    SearchResumed,
    WorkerLost,
)
from vaesearch.records import EpochReport
from vaesearch.report.units import one_line, scale_of, write_seconds
from vaesearch.search.state import SearchState


class Quiet:
    """The observer that shows nothing, and the base of those that do."""

    def __call__(self, event: Event, state: SearchState) -> None:
        """Take note of one ledger event and the state after it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""


@dataclass(frozen=True)
class Pace:
    """When this process took the search up, and how far it was: tells elapsed time and speed.

    Attributes:
        since: Unix time in seconds.
        elapsed: seconds that the search had run before.
        spent: epochs that were finished before.
    """

    since: float
    elapsed: float
    spent: int

    @classmethod
    def at(cls, event: Event, state: SearchState) -> "Pace":
        """The pace that starts with the first event that is seen."""
        return cls(event.time, state.history.elapsed, state.history.spent)

    def seconds(self, now: float) -> float:
        """Seconds that the search has run at Unix time ``now``."""
        return self.elapsed + max(0.0, now - self.since)

    def per_minute(self, now: float, spent: int) -> float:
        """Epochs per minute since this process took over."""
        return 60 * (spent - self.spent) / max(now - self.since, 1.0)


class PlainLines(Quiet):
    """One line per finished epoch and per mishap: for log files and continuous integration."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pace: Pace | None = None

    def __call__(self, event: Event, state: SearchState) -> None:
        """Write the lines that the event is worth; most are worth none."""
        self._pace = self._pace or Pace.at(event, state)
        for line in lines(event, state, self._pace):
            self._console.out(line, highlight=False)


def lines(event: Event, state: SearchState, pace: Pace) -> Iterator[str]:
    """The event in plain words, each line headed by how much of the budget is spent."""
    head = _head(state.history.spent, event, state, pace)
    match event:
        case PullFinished():
            yield from _epochs(event, state, pace)
        case PullFailed():
            yield f"{head} {event.arm}: pull failed, to be tried again: {one_line(event.error)}"
        case WorkerLost():
            yield f"{head} lost {event.worker}: {one_line(event.error)}"
        case ArmFailed():
            yield f"{head} {event.arm} failed: {one_line(event.cause)}"
        case ArmCut():
            yield f"{head} {event.arm} cut: {one_line(event.reason)}"
        case SearchResumed():
            yield f"{head} resumed, pulls to do again: {len(state.flights)}"
        case ArmAppraised():
            scale = scale_of(state)
            figure = scale.write(event.metrics.get(scale.metric))
            yield f"{head} {event.arm} epoch {event.epoch} on test images: {figure} {scale.unit}"
        case SearchFinished():
            yield f"{head} finished: {event.reason}"


def _epochs(event: PullFinished, state: SearchState, pace: Pace) -> Iterator[str]:
    scale, curve = scale_of(state), state.arms[event.arm].reports
    before = state.history.spent - len(event.reports)
    for spent, report in enumerate((EpochReport(**r) for r in event.reports), start=before + 1):
        best = max(r.reward for r in curve if r.epoch <= report.epoch)
        yield (
            f"{_head(spent, event, state, pace)} {event.arm} epoch {report.epoch}: "
            f"{scale.write_reward(report.reward)} {scale.unit} (best {scale.write_reward(best)}) "
            f"{write_seconds(report.seconds)} s on {event.worker}"
        )


def _head(spent: int, event: Event, state: SearchState, pace: Pace) -> str:
    budget = state.history.budget
    parts = [f"{spent}/{budget.epochs}" if budget.epochs else str(spent)]
    if budget.seconds:
        parts.append(f"{pace.seconds(event.time):.0f}/{budget.seconds:.0f} s")
    return f"[{', '.join(parts)}]"
