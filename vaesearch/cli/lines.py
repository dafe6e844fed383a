"""What a search does, in plain lines: for log files and wherever a live table cannot be drawn.

An observer is called with every ledger event and the state after it. It writes to its console
only, which the command puts on stderr, so that stdout stays free for ``--json``.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console

from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    ArmShrunk,
    DecisionMade,
    Event,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
    TrialKnown,
    TrialRefused,
    WorkerJoined,
    WorkerLeft,
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
    """One line per finished epoch and per mishap: for log files and continuous integration.

    Args:
        console: where to write.
        where: the run, for the line that opens the log; empty for no such line.
    """

    def __init__(self, console: Console, where: str = "") -> None:
        self._console = console
        self._where = where
        self._pace: Pace | None = None

    def __call__(self, event: Event, state: SearchState) -> None:
        """Write the lines that the event is worth; most are worth none."""
        with suppress(OSError):  # a full disk under the log stops no search
            self._write(event, state)

    def _write(self, event: Event, state: SearchState) -> None:
        if self._pace is None and self._where:
            self._console.out(opening(state, self._where), highlight=False)
        self._pace = self._pace or Pace.at(event, state)
        for line in lines(event, state, self._pace):
            self._console.out(line, highlight=False)


def opening(state: SearchState, where: str) -> str:
    """The first line of a log: where the run is, who decides and trains, and the budget."""
    options = state.config
    workers = options.get("workers")
    backend = str(options.get("backend", "-"))
    if backend != "local":
        backend += f" ({workers} workers)" if workers else " (as many workers as fit)"
    told = (
        where,
        str(options.get("dataset", "-")),
        f"policy {options.get('policy', '-')}",
        f"backend {backend}",
        f"budget {budget_words(state)}",
    )
    return f"search in {', '.join(told)}"


def budget_words(state: SearchState) -> str:
    """What may be spent: ``100 epochs``, ``600 s``, or both."""
    budget = state.history.budget
    epochs = f"{budget.epochs} epochs" if budget.epochs else ""
    seconds = f"{budget.seconds:g} s" if budget.seconds else ""
    return " and ".join(filter(None, (epochs, seconds))) or "without end"


def lines(event: Event, state: SearchState, pace: Pace) -> Iterator[str]:
    """The event in plain words, each line headed by how much of the budget is spent."""
    if isinstance(event, PullFinished):
        first = state.history.spent - len(event.reports) + 1
        for spent, text in enumerate(_epochs(event, state), start=first):
            yield f"{_head(spent, event, state, pace)} {text}"
    elif text := said(event, state):
        yield f"{_head(state.history.spent, event, state, pace)} {text}"


def said(event: Event, state: SearchState) -> str:
    """What a person who watches is told of an event other than finished epochs; often nothing."""
    match event:
        case PullFailed(blameless=True):
            return (
                f"{event.arm}: pull lost with its machine, to be done again: "
                f"{one_line(event.error)}"
            )
        case PullFailed():
            return f"{event.arm}: pull failed, to be tried again: {one_line(event.error)}"
        case WorkerJoined():
            up = len(state.workers)
            place = f"on {event.device} of {event.node}"
            return f"{event.worker} is up {place} ({up} worker{'s' * (up != 1)})"
        case WorkerLost():
            return f"lost {event.worker}: {one_line(event.error)}"
        case WorkerLeft():
            return f"{event.worker} let go: {one_line(event.reason)}"
        case ArmShrunk():
            return (
                f"{event.arm}: from now on in batches of {event.batch_size}: "
                f"{one_line(event.cause)}"
            )
        case ArmFailed():
            return f"{event.arm} failed: {one_line(event.cause)}"
        case ArmCut():
            return f"{event.arm} cut: {one_line(event.reason)}"
        case SearchResumed():
            return f"resumed, pulls to do again: {len(state.flights)}"
        case ArmAppraised():
            scale = scale_of(state)
            figure = scale.write(event.metrics.get(scale.metric))
            return f"{event.arm} epoch {event.epoch} on test images: {figure} {scale.unit}"
        case SearchFinished():
            return f"finished: {event.reason}"
    return ""


def message(event: Event, state: SearchState) -> str:
    """Any event in plain words; those that watchers are not told of, too."""
    match event:
        case SearchStarted():
            return f"search started, budget {budget_words(state)}"
        case ArmAdded():
            return f"{event.arm} joined: {event.parameters} parameters"
        case TrialRefused():
            return f"trial {event.trial} refused: {one_line(event.reason)}"
        case TrialKnown():
            return f"trial {event.trial} is known from {event.source}"
        case DecisionMade():
            epochs = f"{event.epochs} epoch{'s' * (event.epochs != 1)}"
            return f"{event.arm} gets {epochs}: {one_line(event.reason)}"
        case PullStarted():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            span = f"from epoch {event.from_epoch}, {event.epochs} to do"
            return f"{event.arm} trains on {event.worker} {span}{again}"
        case PullFinished():
            return "; ".join(_epochs(event, state)) or f"{event.arm}: no epoch finished"
    return said(event, state) or event.kind.replace("_", " ")


def _epochs(event: PullFinished, state: SearchState) -> Iterator[str]:
    scale, curve = scale_of(state), state.arms[event.arm].reports
    for report in (EpochReport(**r) for r in event.reports):
        best = max(r.reward for r in curve if r.epoch <= report.epoch)
        yield (
            f"{event.arm} epoch {report.epoch}: "
            f"{scale.write_reward(report.reward)} {scale.unit} (best {scale.write_reward(best)}) "
            f"{write_seconds(report.seconds)} s on {event.worker}"
        )


def _head(spent: int, event: Event, state: SearchState, pace: Pace) -> str:
    budget = state.history.budget
    parts = [f"{spent}/{budget.epochs}" if budget.epochs else str(spent)]
    if budget.seconds:
        parts.append(f"{pace.seconds(event.time):.0f}/{budget.seconds:.0f} s")
    return f"[{', '.join(parts)}]"
