"""The lines of a ledger: what was decided, what was done, and what came of it."""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """A line of the ledger. ``seq`` numbers the lines from 0; ``time`` is Unix time in seconds."""

    kind: ClassVar[str]
    seq: int = field(default=-1, kw_only=True)
    time: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class SearchStarted(Event):
    """The first line: which search this is, with all options, its data and what space it is in."""

    kind = "search_started"
    search_id: str
    version: str
    config: dict[str, Any]
    data: dict[str, Any]
    space: dict[str, Any] | None = None


@dataclass(frozen=True)
class SearchResumed(Event):
    """A new process took the search over; pulls in flight are dispatched again.

    ``changes`` are options that differ from here on, such as a larger budget.
    """

    kind = "search_resumed"
    version: str
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArmAdded(Event):
    """A candidate joined: settings, trainable parameters, FLOPs of a training step per image.

    ``limit`` is the most epochs that this arm may have, where it has a limit of its own. An arm
    that was proposed has the number of its ``trial``, the values in the search space that it
    stands for, and its ``group``; ``again`` is the trial that it repeats, which was lost.
    ``memory`` are the bytes that training on a batch needs; None if they are not known.
    """

    kind = "arm_added"
    arm: str
    settings: dict[str, Any]
    parameters: int
    limit: int | None = None
    flops: float | None = None
    trial: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    again: int | None = None
    memory: int | None = None


@dataclass(frozen=True)
class TrialRefused(Event):
    """A proposal that breaks a constraint, or cannot be built: it is not trained.

    ``excess`` has for each constraint by how much the figure is above it, as a share of it.
    """

    kind = "trial_refused"
    trial: int
    values: dict[str, Any]
    group: str
    reason: str
    excess: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialKnown(Event):
    """A trial of an earlier search that the sampler is told of; ``source`` is where it is from.

    ``figures`` are its objectives as they were.
    """

    kind = "trial_known"
    trial: int
    values: dict[str, Any]
    group: str
    figures: dict[str, float]
    source: str


@dataclass(frozen=True)
class DecisionMade(Event):
    """The policy chose; ``pending`` lists the arms in flight at that moment."""

    kind = "decision"
    arm: str
    epochs: int
    reason: str
    pending: list[str]
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PullStarted(Event):
    """A worker was given the pull; a later line of the same ``pull`` replaces it (attempt + 1)."""

    kind = "pull_started"
    pull: int
    arm: str
    from_epoch: int
    epochs: int
    worker: str
    attempt: int = 1


@dataclass(frozen=True)
class PullFinished(Event):
    """The pull's checkpoint is durable and its epochs count; ``reports`` has one per epoch.

    ``overhead`` are the seconds that the pull took beyond its epochs, from when its worker was
    told until its result was here; None where it cannot be told apart from other things, such as
    the start of a worker, or an epoch that was given up.
    """

    kind = "pull_finished"
    pull: int
    arm: str
    reports: list[dict[str, Any]]
    checkpoints: dict[str, str]
    worker: str
    overhead: float | None = None


@dataclass(frozen=True)
class PullFailed(Event):
    """The pull came to nothing (worker lost, damaged checkpoint); it will be tried again.

    ``blameless`` where the machine went away, which says nothing about the arm: such failures are
    not counted against it.
    """

    kind = "pull_failed"
    pull: int
    arm: str
    error: str
    blameless: bool = False


@dataclass(frozen=True)
class WorkerJoined(Event):
    """A worker is up and has the images: on which machine, on what device."""

    kind = "worker_joined"
    worker: str
    node: str
    device: str


@dataclass(frozen=True)
class WorkerLost(Event):
    """A worker died, or hung and was stopped; another one takes its place if there is room."""

    kind = "worker_lost"
    worker: str
    error: str


@dataclass(frozen=True)
class WorkerLeft(Event):
    """A worker was let go, since no arm is left for it."""

    kind = "worker_left"
    worker: str
    reason: str


@dataclass(frozen=True)
class ArmShrunk(Event):
    """The arm did not fit into the memory of a GPU: from here on it has smaller batches."""

    kind = "arm_shrunk"
    arm: str
    batch_size: int
    cause: str


@dataclass(frozen=True)
class ArmFailed(Event):
    """The arm can get no more epochs: it diverged, or its workers died with it (``lost``)."""

    kind = "arm_failed"
    arm: str
    cause: str
    lost: bool = False


@dataclass(frozen=True)
class ArmCut(Event):
    """The policy gave the arm up."""

    kind = "arm_cut"
    arm: str
    reason: str


@dataclass(frozen=True)
class ArmAppraised(Event):
    """Test figures of the arm's best checkpoint."""

    kind = "arm_appraised"
    arm: str
    epoch: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class SearchFinished(Event):
    """The last line: why the search ended and which arm it recommends."""

    kind = "search_finished"
    reason: str
    best_arm: str | None


EVENTS: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        SearchStarted, SearchResumed, ArmAdded, TrialRefused, TrialKnown, DecisionMade,
        PullStarted, PullFinished, PullFailed, WorkerJoined, WorkerLost, WorkerLeft, ArmShrunk,
        ArmFailed, ArmCut, ArmAppraised, SearchFinished,
    )
}  # fmt: skip


def event_to_dict(event: Event) -> dict[str, Any]:
    """Plain data for one ledger line, ``seq``, ``time`` and ``event`` first."""
    head = {"seq": event.seq, "time": event.time, "event": event.kind}
    names = [f.name for f in fields(event) if f.name not in head]
    return head | {name: getattr(event, name) for name in names}


def event_from_dict(data: dict[str, Any]) -> Event:
    """The event that a ledger line describes; KeyError or TypeError if it is none."""
    rest = dict(data)
    return EVENTS[rest.pop("event")](**rest)
