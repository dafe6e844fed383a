"""What MLflow is to show for each event of a search; pure, and free of MLflow.

A search is a parent run, each arm a child run. Values carry the time of their event and a step
that follows from the ledger alone, so sending an update twice changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vaesearch.bandits.core import leader
from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    ArmShrunk,
    Event,
    PullFinished,
    SearchFinished,
    SearchResumed,
    SearchStarted,
    TrialKnown,
    TrialRefused,
    WorkerJoined,
    WorkerLeft,
    WorkerLost,
)
from vaesearch.search.state import SearchState
from vaesearch.tracking import trials
from vaesearch.tracking.inputs import Images, images_of
from vaesearch.tracking.standing import EPOCHS, arm_tags

RunStatus = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]

POLICY, STATUS, VERSION = "vaesearch.policy", "vaesearch.status", "vaesearch.version"
BATCH_SIZE = "batch_size"
BEST_ARM, CAUSE, CHANGES = "vaesearch.best_arm", "vaesearch.cause", "vaesearch.changes"

# Options that belong to a machine, not to the search; an address may hold a password.
_MACHINE = ("tracking_uri", "experiment", "address", "data_dir", "storage")
# Options of the search repeated on each arm, so that one table compares arms of many searches.
_SHARED = ("dataset", "image_size", "pixels", "train_limit", "policy", "reward", "seed")
_MAX_TAG = 500  # characters; MLflow takes 8000, a table cell far fewer


@dataclass(frozen=True)
class Point:
    """A value of a metric; ``step`` is an epoch, or for the search all epochs spent so far."""

    key: str
    value: float
    step: int
    time_ms: int


@dataclass(frozen=True)
class RunUpdate:
    """What is to be added to a run, which is made if missing.

    Attributes:
        arm: whose run; None for the search's own.
        start_ms: when the run began, Unix milliseconds; None where it exists already.
        status: set if not None; the run ended at ``end_ms`` unless it is ``RUNNING``.
        components: of a mixture of that arm, whose run is below the arm's; None for the arm's.
        images: what it was trained, validated and tested on.
    """

    arm: str | None
    start_ms: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    status: RunStatus | None = None
    end_ms: int | None = None
    components: int | None = None
    images: tuple[Images, ...] = ()


def updates_for(event: Event, state: SearchState) -> list[RunUpdate]:
    """What ``event`` changes, given the ``state`` right after it."""
    now = _milliseconds(event)
    match event:
        case SearchStarted():
            return [_search_started(event, now)]
        case SearchResumed():
            return [*_all_open(state, now, "RUNNING", "running"), _changed(event)]
        case ArmAdded():
            return _arm_added(event, state, now)
        case TrialRefused() | TrialKnown():
            return [_counted(state, now)]
        case PullFinished():
            return _pull_finished(event, state, now)
        case ArmFailed():
            tags = _status("failed") | {CAUSE: event.cause[:_MAX_TAG]}
            tags |= trials.state_tag(state, event.arm)
            return [RunUpdate(event.arm, tags=tags, status="FAILED", end_ms=now)]
        case ArmCut():
            tags = _status("cut") | {CAUSE: event.reason[:_MAX_TAG]}
            tags |= trials.state_tag(state, event.arm)
            return [RunUpdate(event.arm, tags=tags, status="FINISHED", end_ms=now)]
        case ArmAppraised():
            points = _points("test/", event.metrics, event.epoch, now)
            return [RunUpdate(event.arm, points=points)]
        case ArmShrunk():  # a tag, since MLflow refuses to change a param
            return [RunUpdate(event.arm, tags={BATCH_SIZE: str(event.batch_size)})]
        case WorkerJoined() | WorkerLeft() | WorkerLost():
            return [_staffed(state, now)]
        case SearchFinished():
            return _search_finished(event, state, now)
        case _:
            return []


def interrupted(state: SearchState, last: Event) -> list[RunUpdate]:
    """What a search that stopped after ``last`` without finishing leaves; resuming undoes it."""
    return _all_open(state, _milliseconds(last), "KILLED", "interrupted")


def merge(updates: Iterable[RunUpdate]) -> list[RunUpdate]:
    """One update per run, in order of first mention; later values win."""
    merged: dict[str | None, RunUpdate] = {}
    for new in updates:
        old = merged.get(new.arm, RunUpdate(new.arm))
        merged[new.arm] = RunUpdate(
            new.arm,
            old.start_ms or new.start_ms,
            old.params | new.params,
            old.tags | new.tags,
            old.points + new.points,
            new.status or old.status,
            new.end_ms if new.status else old.end_ms,
            images=new.images or old.images,
        )
    return list(merged.values())


def _search_started(event: SearchStarted, now: int) -> RunUpdate:
    options = {k: v for k, v in event.config.items() if k not in (*_MACHINE, "study")}
    data = {f"data/{k}": v for k, v in event.data.items()}
    policy = event.config.get("policy")
    tags = {POLICY: policy, "policy": policy, VERSION: event.version} | _status("running")
    tags |= {trials.STUDY: event.config.get("study")}
    params = _texts(options | data) | trials.search_params(event)
    images = images_of(event.config, event.data)
    return RunUpdate(None, now, params, _texts(tags), images=images)


def _arm_added(event: ArmAdded, state: SearchState, now: int) -> list[RunUpdate]:
    params = trials.trial_params(event) | event.settings
    params |= {"parameters": event.parameters} | _shared(state.config)
    tags = trials.trial_tags(event, state.config) | trials.state_tag(state, event.arm)
    tags |= arm_tags(event.settings, state.config) | _status("running") | {EPOCHS: 0}
    images = images_of(state.config, state.data)
    added = RunUpdate(event.arm, now, _texts(params), _texts(tags), images=images)
    return [added] if event.trial is None else [added, _counted(state, now)]


def _status(word: str) -> dict[str, str]:
    return {STATUS: word, "status": word}


def _staffed(state: SearchState, now: int) -> RunUpdate:
    counts = {"workers": len(state.workers), "lost_workers": state.lost_workers}
    return RunUpdate(None, points=_points("", counts, state.history.spent, now))


def _counted(state: SearchState, now: int) -> RunUpdate:
    return RunUpdate(None, points=_points("", trials.counts(state), state.history.spent, now))


def _changed(event: SearchResumed) -> RunUpdate:
    # A tag, since MLflow refuses to change a param.
    options = [f"{k}={v}" for k, v in event.changes.items() if k not in _MACHINE]
    return RunUpdate(None, tags=_texts({CHANGES: ", ".join(options)[:_MAX_TAG] or None}))


def _pull_finished(event: PullFinished, state: SearchState, now: int) -> list[RunUpdate]:
    points: list[Point] = []
    for report in event.reports:
        values = {k: report[k] for k in ("reward", "seconds")} | report["metrics"]
        points += _points("", values, report["epoch"], now)
    best = state.arms[event.arm].best
    if best and best.epoch in [r["epoch"] for r in event.reports]:
        figures = {"reward": best.reward, "epoch": best.epoch} | best.metrics
        figures.pop("train_loss", None)
        points += _points("best/", figures, best.epoch, now)
    tags = {EPOCHS: str(state.arms[event.arm].epoch)} | trials.state_tag(state, event.arm)
    first = leader(state.history.arms)
    spent = {"best/reward": first.value} | trials.best_values(state) if first else {}
    return [
        RunUpdate(event.arm, tags=tags, points=points),
        RunUpdate(None, points=_points("", spent, state.history.spent, now)),
    ]


def _search_finished(event: SearchFinished, state: SearchState, now: int) -> list[RunUpdate]:
    best = state.arms.get(event.best_arm or "")
    points = _points("test/", best.test if best else {}, state.history.spent, now)
    tags = {CAUSE: event.reason[:_MAX_TAG]} | _texts({BEST_ARM: event.best_arm})
    tags |= _texts(trials.best_tag(state, event.best_arm))
    updates = _all_open(state, now, "FINISHED", "finished")
    return [*updates, RunUpdate(None, tags=tags, points=points)]


def _all_open(state: SearchState, now: int, status: RunStatus, word: str) -> list[RunUpdate]:
    names = [None, *(a.name for a in state.history.arms if a.status == "open")]
    tags = {name: trials.state_tag(state, name) for name in names if name}
    return [
        RunUpdate(name, tags=_status(word) | tags.get(name or "", {}), status=status, end_ms=now)
        for name in names
    ]


def _shared(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: config.get(name) for name in _SHARED}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    # A list says the same as giving its members one by one; an empty one is as if not given.
    told = {k: ", ".join(v) or None if _is_words(v) else v for k, v in values.items()}
    return {k: str(v) for k, v in told.items() if v is not None}


def _is_words(value: Any) -> bool:
    """Whether it is a list of an option that may be repeated, and not, say, a shape."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _points(prefix: str, values: Mapping[str, float], step: int, now: int) -> list[Point]:
    return [Point(prefix + key, float(value), step, now) for key, value in values.items()]


def _milliseconds(event: Event) -> int:
    return round(event.time * 1000)
