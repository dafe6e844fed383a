"""How far a search is and how it goes, as plain data: a pure function of its ledger and a clock.

Whether its process lives cannot be read from the ledger, so that is an argument.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vaesearch.events import DecisionMade, Event, SearchResumed, SearchStarted
from vaesearch.report.tables import best_arm, json_safe
from vaesearch.search.state import SearchState, elapsed_seconds
from vaesearch.watching.troubles import Trouble, Troubles, troubles_of

Condition = Literal["starting", "running", "waiting", "silent", "stopped", "finished", "failed"]
PATIENCE_SECONDS = 300.0  # without a line before anyone wonders
SLOW = 3.0  # times as long as a pull was expected to take


@dataclass(frozen=True)
class WorkerStatus:
    """A worker and what it does: ``arm`` is None while it is idle; ``since`` is Unix time."""

    worker: str
    node: str
    device: str
    arm: str | None
    epochs: int | None
    since: float | None
    attempt: int | None


@dataclass(frozen=True)
class ArmStatus:
    """An arm in the order of the ranking; rewards are "higher is better"."""

    arm: str
    epochs: int
    in_flight: int
    reward: float | None
    projected: float | None
    seconds_per_epoch: float | None
    standing: str
    note: str


@dataclass(frozen=True)
class Upload:
    """How far the copy in MLflow is: ledger lines sent, of how many.

    Attributes:
        tracked: whether there is to be one.
        complete: models and pictures are there, too.
        error: why the last attempt failed; empty if it did not.
    """

    tracked: bool
    sent: int = 0
    of: int = 0
    complete: bool = False
    error: str = ""


@dataclass(frozen=True)
class Status:
    """See the attributes; times are Unix times, spans are seconds.

    Attributes:
        condition: ``running``; ``waiting`` for workers; ``silent``: its process lives, but the
            ledger has had no line for longer than its pulls take; ``stopped`` before its end;
            ``finished``; ``failed``: finished without a model; ``starting``.
        detail: the same in words.
        cure: what to type, where something is to be done.
        kind: ``search``, or ``shared encoder``.
        reward: what the arms are compared by; its figures are "higher is better" here.
        seconds: that it was worked on, up to now.
        per_minute: epochs per minute since the process that works on it took over.
        expected_end: when the budget will be spent at that speed; None if nobody can tell.
        refused: proposals of a tuned search that were not trained.
    """

    condition: Condition
    detail: str
    cure: str | None
    run_dir: str
    now: float
    kind: str = "search"
    search_id: str | None = None
    dataset: str | None = None
    policy: str | None = None
    reward: str = "bpd"
    epochs: int = 0
    budget_epochs: int | None = None
    seconds: float = 0.0
    budget_seconds: float | None = None
    per_minute: float | None = None
    expected_end: float | None = None
    last_event: float | None = None
    best_arm: str | None = None
    workers: tuple[WorkerStatus, ...] = ()
    waiting_pulls: int = 0
    arms: tuple[ArmStatus, ...] = ()
    refused: int = 0
    last_decision: dict[str, Any] | None = None
    troubles: Troubles = field(default_factory=Troubles)
    upload: Upload = field(default_factory=lambda: Upload(False))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without NaN and infinity."""
        plain: dict[str, Any] = json_safe(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Status":
        """The status that :meth:`to_dict` described, on this machine or another.

        Raises:
            KeyError, TypeError: it is none, or of another version.
        """
        latest = tuple(Trouble(**t) for t in data["troubles"]["latest"])
        parts = {
            "workers": tuple(WorkerStatus(**w) for w in data["workers"]),
            "arms": tuple(ArmStatus(**a) for a in data["arms"]),
            "troubles": Troubles(**{**data["troubles"], "latest": latest}),
            "upload": Upload(**data["upload"]),
        }
        return cls(**{**data, **parts})


def status_of(
    events: Sequence[Event],
    state: SearchState,
    *,
    run_dir: str,
    resume: str,
    alive: bool | None,
    now: float,
    upload: Upload,
) -> Status:
    """The status of a search.

    Args:
        events: its ledger, one line or more.
        state: the fold over them, under its budget.
        run_dir: as a person would write it.
        resume: the command that goes on with it.
        alive: whether a process holds the run; None where that cannot be known, and the time of
            the last line has to tell.
        now: Unix time.
        upload: how far MLflow is.
    """
    last = events[-1].time
    silent = now - last > patience(state)
    works = (not silent) if alive is None else alive
    condition = _condition(state, works, silent and alive is True)
    open_end = now if works and not state.finished else last
    seconds = elapsed_seconds(events) + max(0.0, open_end - last)
    pace = _per_minute(events, state, open_end)
    return Status(
        condition,
        _detail(condition, state, now - last),
        resume if condition in ("stopped", "silent") else None,
        run_dir,
        now,
        search_id=state.search_id,
        dataset=state.config.get("dataset"),
        policy=state.config.get("policy"),
        reward=state.config.get("reward", "bpd"),
        epochs=state.history.spent,
        budget_epochs=state.history.budget.epochs,
        seconds=seconds,
        budget_seconds=state.history.budget.seconds,
        per_minute=pace,
        expected_end=_expected_end(state, seconds, pace, now) if works else None,
        last_event=last,
        best_arm=best_arm(state),
        workers=_workers(state) if works and not state.finished else (),
        waiting_pulls=sum(not flight.worker for flight in state.flights.values()),
        arms=tuple(_arm(state, name) for name in state.ranking),
        refused=len(state.refused),
        last_decision=_last_decision(events),
        troubles=troubles_of(events, state),
        upload=upload,
    )


def patience(state: SearchState) -> float:
    """Seconds without a line that are no reason to wonder, for what is in flight now."""
    history = state.history
    spans = [
        flight.epochs * (history.arm(flight.arm).cost or history.typical_cost or 0.0)
        for flight in state.flights.values()
    ]
    return max(PATIENCE_SECONDS, SLOW * max(spans, default=0.0))


def _condition(state: SearchState, works: bool, silent: bool) -> Condition:
    if state.finished:
        return "finished" if state.finished.best_arm is not None else "failed"
    if not works:
        return "stopped"
    if silent:
        return "silent"
    trains = any(flight.worker for flight in state.flights.values())
    local = state.config.get("backend") == "local"
    over = not state.flights and state.history.epochs_left < 1
    return "running" if trains or state.workers or local or over else "waiting"


def _detail(condition: Condition, state: SearchState, quiet: float) -> str:
    match condition:
        case "finished" | "failed":
            return state.finished.reason if state.finished else ""
        case "stopped":
            return "no process works on it"
        case "silent":
            return f"no news for {quiet / 60:.0f} min, although its process lives"
        case "waiting":
            return "no worker is up: the cluster has no room, or its machines are starting"
        case _:
            if not state.flights and state.history.epochs_left < 1:
                return "the budget is spent; best checkpoints are scored on test images"
            return ""


def _per_minute(events: Sequence[Event], state: SearchState, until: float) -> float | None:
    """Epochs per minute of the process that works on the search, or was the last to."""
    begun = [e for e in events if isinstance(e, SearchStarted | SearchResumed)]
    since = begun[-1].time if begun else events[0].time
    later = (e for e in events if e.time >= since and e.seq >= (begun[-1].seq if begun else 0))
    epochs = sum(len(getattr(event, "reports", ())) for event in later)
    return 60 * epochs / max(until - since, 1.0) if epochs else None


def _expected_end(
    state: SearchState, seconds: float, pace: float | None, now: float
) -> float | None:
    budget = state.history.budget
    if state.finished:
        return None
    ends = []
    if budget.epochs and pace:
        ends.append(now + 60 * (budget.epochs - state.history.spent) / pace)
    if budget.seconds:
        ends.append(now + max(0.0, budget.seconds - seconds))
    return min(ends, default=None)


def _workers(state: SearchState) -> tuple[WorkerStatus, ...]:
    """Those that are up; and those at work that the ledger has no line for, as in old ones."""
    busy = {flight.worker: flight for flight in state.flights.values() if flight.worker}
    found = []
    for name in [*state.workers, *(n for n in busy if n not in state.workers)]:
        joined, flight = state.workers.get(name), busy.get(name)
        found.append(
            WorkerStatus(
                name,
                joined.node if joined else "",
                joined.device if joined else "",
                flight.arm if flight else None,
                flight.epochs if flight else None,
                flight.since if flight else None,
                flight.attempt if flight else None,
            )
        )
    return tuple(found)


def _arm(state: SearchState, name: str) -> ArmStatus:
    arm, history = state.arms[name], state.history.arm(name)
    return ArmStatus(
        name,
        arm.epoch,
        history.pending,
        arm.best.reward if arm.best else None,
        state.projected.get(name),
        history.cost,
        history.status,
        arm.note,
    )


def _last_decision(events: Sequence[Event]) -> dict[str, Any] | None:
    for event in reversed(events):
        if isinstance(event, DecisionMade):
            return {
                "arm": event.arm, "epochs": event.epochs, "reason": event.reason,
                "time": event.time,
            }  # fmt: skip
    return None
