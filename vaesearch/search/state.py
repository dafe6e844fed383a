"""What a search knows: a pure fold over its ledger.

The controller, the live table, the plots and ``results.json`` all read this one record, so that
what a person sees is what the next decision is based on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import pairwise
from typing import Any

from vaesearch.bandits.core import Budget, History, Status
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
from vaesearch.records import Arm, EpochReport, TrialSettings


@dataclass(frozen=True)
class ArmState:
    """One candidate: its curve, its checkpoints and how it stands.

    Attributes:
        added: its settings when it joined; those of ``arm`` have smaller batches where these were
            too large for a GPU.
        reports: one per finished epoch.
        checkpoints: SHA-256 by epoch, of the last and the best epoch; the others are deleted.
        note: why it was cut or failed.
        test: test figures of the checkpoint at ``test_epoch``, the best one once appraised.
        flops: of a training step for each image; None if they are not known.
        trial: its number, if it was proposed; ``again``: of the lost trial that it repeats.
        values: in the search space that it stands for.
        memory: bytes that training on a batch needs; None if they are not known.
        lost: it failed because its workers died.
    """

    arm: Arm
    parameters: int
    added: TrialSettings
    reports: tuple[EpochReport, ...] = ()
    checkpoints: dict[int, str] = field(default_factory=dict)
    note: str = ""
    test: dict[str, float] = field(default_factory=dict)
    test_epoch: int | None = None
    flops: float | None = None
    trial: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    again: int | None = None
    memory: int | None = None
    lost: bool = False

    @property
    def epoch(self) -> int:
        """Finished epochs."""
        return len(self.reports)

    @cached_property
    def best(self) -> EpochReport | None:
        """The epoch with the highest reward, the earliest of equals; None before any."""
        return max(self.reports, key=lambda r: r.reward, default=None)


@dataclass(frozen=True)
class Flight:
    """A pull that was decided and has not come back; ``worker`` is empty until dispatched."""

    pull: int
    arm: str
    from_epoch: int
    epochs: int
    worker: str = ""
    attempt: int = 0
    since: float = 0.0


@dataclass(frozen=True)
class SearchState:
    """Everything that follows from the ledger so far.

    Attributes:
        space: of the proposals, as plain data; None where the arms are fixed.
        refused, known: trials that were not trained, and trials of earlier searches.
        deciding: an arm joined or was cut after the latest decision and the latest result, so none
            joins before the next one, whichever process makes it.
        workers: those that are up, each with its machine and device.
        lost_workers: how many died so far.
        training, switching: seconds of all measured pulls, for their epochs and beyond those.
    """

    search_id: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=lambda: History(Budget()))
    arms: dict[str, ArmState] = field(default_factory=dict)
    flights: dict[int, Flight] = field(default_factory=dict)
    failures: dict[int, int] = field(default_factory=dict)
    projected: dict[str, float] = field(default_factory=dict)
    last_reason: str = ""
    space: dict[str, Any] | None = None
    refused: tuple[TrialRefused, ...] = ()
    known: tuple[TrialKnown, ...] = ()
    deciding: bool = False
    workers: dict[str, WorkerJoined] = field(default_factory=dict)
    lost_workers: int = 0
    training: float = 0.0
    switching: float = 0.0
    finished: SearchFinished | None = None

    @property
    def pulls(self) -> int:
        """Pulls decided so far; also the number of the next one."""
        return self.history.decisions

    @property
    def trials(self) -> int:
        """Trials numbered so far; also the number of the next one."""
        proposed = sum(arm.trial is not None for arm in self.arms.values())
        return proposed + len(self.refused) + len(self.known)

    @property
    def ranking(self) -> list[str]:
        """Arms by best validation reward, best first; failed and untrained ones last."""

        def key(name: str) -> tuple[bool, float]:
            best = self.arms[name].best
            failed = self.history.arm(name).status == "failed"
            return (failed, -best.reward if best else float("inf"))

        return sorted(self.arms, key=key)


def fold(events: Iterable[Event], budget: Budget) -> SearchState:
    """The state after ``events``, under ``budget``."""
    return reduce(advance, events, SearchState(history=History(budget)))


def advance(state: SearchState, event: Event) -> SearchState:
    """The state after one more event."""
    match event:
        case SearchStarted():
            return replace(
                state,
                search_id=event.search_id,
                config=event.config,
                data=event.data,
                space=event.space,
            )
        case SearchResumed():
            return replace(state, config=state.config | event.changes, finished=None, workers={})
        case ArmAdded():
            return _added(state, event)
        case TrialRefused():
            return replace(state, refused=(*state.refused, event))
        case TrialKnown():
            return replace(state, known=(*state.known, event))
        case DecisionMade():
            return _decided(state, event)
        case PullStarted():
            flight = replace(
                state.flights[event.pull],
                worker=event.worker, attempt=event.attempt, since=event.time,
            )  # fmt: skip
            return replace(state, flights=state.flights | {event.pull: flight})
        case PullFinished():
            return _finished(state, event)
        case PullFailed():
            flight = replace(state.flights[event.pull], worker="")
            count = state.failures.get(event.pull, 0) + (not event.blameless)
            return replace(
                state,
                flights=state.flights | {event.pull: flight},
                failures=state.failures | {event.pull: count},
                deciding=False,
            )
        case WorkerJoined():
            return replace(state, workers=state.workers | {event.worker: event})
        case WorkerLost() | WorkerLeft():
            up = {name: w for name, w in state.workers.items() if name != event.worker}
            count = state.lost_workers + isinstance(event, WorkerLost)
            return replace(state, workers=up, lost_workers=count)
        case ArmShrunk():
            return _shrunk(state, event)
        case ArmFailed():
            flights = {k: f for k, f in state.flights.items() if f.arm != event.arm}
            lost = replace(state.arms[event.arm], lost=event.lost)
            state = replace(state, flights=flights, arms=state.arms | {event.arm: lost})
            return _closed(state, event.arm, "failed", event.cause)
        case ArmCut():
            return _closed(state, event.arm, "cut", event.reason)
        case ArmAppraised():
            arm_state = replace(state.arms[event.arm], test=event.metrics, test_epoch=event.epoch)
            return replace(state, arms=state.arms | {event.arm: arm_state})
        case SearchFinished():
            return replace(state, finished=event)
        case _:
            return state


def _added(state: SearchState, event: ArmAdded) -> SearchState:
    settings = TrialSettings(**event.settings)
    arm = ArmState(
        Arm(event.arm, settings),
        event.parameters,
        settings,
        flops=event.flops,
        trial=event.trial,
        values=event.values,
        again=event.again,
        memory=event.memory,
    )
    return replace(
        state,
        arms=state.arms | {event.arm: arm},
        history=state.history.added(event.arm, event.limit, event.group),
        deciding=True,
    )


def _decided(state: SearchState, event: DecisionMade) -> SearchState:
    epoch = state.history.arm(event.arm).epochs
    flight = Flight(state.pulls, event.arm, epoch, event.epochs, since=event.time)
    return replace(
        state,
        history=state.history.started(event.arm, event.epochs),
        flights=state.flights | {flight.pull: flight},
        projected=state.projected | event.values,
        last_reason=event.reason,
        deciding=False,
    )


def _shrunk(state: SearchState, event: ArmShrunk) -> SearchState:
    old = state.arms[event.arm]
    settings = replace(old.arm.settings, batch_size=event.batch_size)
    new = replace(old, arm=replace(old.arm, settings=settings))
    return replace(state, arms=state.arms | {event.arm: new})


def _closed(state: SearchState, name: str, status: Status, note: str) -> SearchState:
    return replace(
        state,
        arms=state.arms | {name: replace(state.arms[name], note=note)},
        history=state.history.closed(name, status),
        deciding=status == "cut",
    )


def _finished(state: SearchState, event: PullFinished) -> SearchState:
    reports = tuple(EpochReport(**r) for r in event.reports)
    arm, measured = state.arms[event.arm], event.overhead is not None
    grown = replace(arm, reports=arm.reports + reports)
    digests = arm.checkpoints | {int(k): v for k, v in event.checkpoints.items()}
    needed = {grown.epoch, grown.best.epoch if grown.best else 0}
    kept = {epoch: digest for epoch, digest in digests.items() if epoch in needed}
    return replace(
        state,
        arms=state.arms | {event.arm: replace(grown, checkpoints=kept)},
        history=state.history.observed(
            event.arm, [r.reward for r in reports], [r.seconds for r in reports], event.overhead
        ),
        deciding=False,
        training=state.training + (sum(r.seconds for r in reports) if measured else 0.0),
        switching=state.switching + (event.overhead or 0.0),
        flights={k: f for k, f in state.flights.items() if k != event.pull},
        failures={k: n for k, n in state.failures.items() if k != event.pull},
    )


def elapsed_seconds(events: Sequence[Event]) -> float:
    """Wall-clock seconds that a search was worked on: the gaps between its processes left out."""
    total = 0.0
    for before, after in pairwise(events):
        if not isinstance(after, SearchResumed):
            total += max(0.0, after.time - before.time)
    return total
