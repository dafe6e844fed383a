"""The shared nouns of a search: what is asked of a worker, what it answers, what the ledger holds.

Units: rewards are "higher is better"; ``seconds`` are wall-clock; ``epoch`` counts finished
epochs, so epoch 0 is the untrained model.
"""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class TrialSettings:
    """All that defines one model and how it is trained; two arms differ only in these.

    Attributes:
        encoder, decoder, posterior, prior, likelihood: of the model, each a catalogue spec
            ``name[:arguments]``.
        objective, regularizer, annealing: of its training, likewise.
        latent_dim: size of z.
        width: multiplier on every hidden channel count; 1.0 is the report's size.
        beta: weight of the regulariser.
        alpha: weight of the consistency term KL(z'||z), in nats per nat.
        learning_rate: of Adam.
        batch_size: images per step.
        precision: ``float32`` or ``bfloat16`` (autocast; losses stay in float32).
    """

    decoder: str
    encoder: str = "conv"
    posterior: str = "gaussian"
    prior: str = "standard"
    likelihood: str = "discretized-normal"
    objective: str = "elbo"
    regularizer: str = "kl"
    annealing: str = "none"
    latent_dim: int = 32
    width: float = 0.25
    beta: float = 1.0
    alpha: float = 0.0
    learning_rate: float = 1e-3
    batch_size: int = 128
    precision: str = "float32"


@dataclass(frozen=True)
class Arm:
    """A candidate: a name that is unique in its search, and what it stands for."""

    name: str
    settings: TrialSettings


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch.

    Attributes:
        epoch: 1 for the first.
        reward: on validation images.
        seconds: training plus validation.
        metrics: validation figures (``bpd``, ``elbo``, ``kl``, ``reconstruction``, ``mse``) and
            ``train_loss``; nats per image but for bpd (bits/dim) and mse (per pixel, in [0, 1]).
    """

    epoch: int
    reward: float
    seconds: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class PullRequest:
    """Train ``arm`` from ``from_epoch`` for ``epochs`` more.

    Attributes:
        digest: SHA-256 of the checkpoint at ``from_epoch``; None for a start from scratch.
        best_reward: the arm's best so far, so that a better epoch inside the pull is kept too.
        seconds_left: give up an epoch that is not finished by then; None for never.
    """

    pull: int
    arm: Arm
    from_epoch: int
    epochs: int
    digest: str | None = None
    best_reward: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class PullReport:
    """What a finished pull says. ``checkpoints`` maps an epoch to its file's SHA-256.

    ``epochs`` is shorter than what was asked where time ran out, and then the last one has the
    last checkpoint all the same. ``diverged`` is the cause where the arm left the numbers.
    ``saving`` are the seconds spent on checkpoints of epochs before the last: a cost of the
    epochs, which one longer pull has as well as several short ones.
    """

    pull: int
    epochs: tuple[EpochReport, ...]
    checkpoints: dict[int, str]
    diverged: str | None = None
    saving: float = 0.0


@dataclass(frozen=True)
class AppraisalRequest:
    """Score the checkpoint of ``arm`` at ``epoch`` on the test images, and draw pictures of it."""

    arm: Arm
    epoch: int
    digest: str


@dataclass(frozen=True)
class Appraisal:
    """Test figures of one checkpoint (never seen by a policy), and pictures.

    The pictures, uint8 ``[N, C, H, W]`` each, are the ``originals``, their ``reconstructions``,
    ``samples`` and ``prior_samples`` of :func:`vaesearch.evaluation.pictures`, and deviations.
    ``aggregate`` has the parameters of the mixture that was fitted to codes of training images.
    """

    arm: str
    epoch: int
    metrics: dict[str, float]
    pictures: dict[str, np.ndarray]
    aggregate: dict[str, np.ndarray]


# --- Ledger events -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A line of the ledger. ``seq`` numbers the lines from 0; ``time`` is Unix time in seconds."""

    kind: ClassVar[str]
    seq: int = field(default=-1, kw_only=True)
    time: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class SearchStarted(Event):
    """The first line: which search this is, with all options and the data it is about."""

    kind = "search_started"
    search_id: str
    version: str
    config: dict[str, Any]
    data: dict[str, Any]


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

    ``limit`` is the most epochs that this arm may have, where it has a limit of its own.
    """

    kind = "arm_added"
    arm: str
    settings: dict[str, Any]
    parameters: int
    limit: int | None = None
    flops: float | None = None


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
    """The pull came to nothing (worker lost, damaged checkpoint); it will be tried again."""

    kind = "pull_failed"
    pull: int
    arm: str
    error: str


@dataclass(frozen=True)
class WorkerLost(Event):
    """A worker died; another one takes its place."""

    kind = "worker_lost"
    worker: str
    error: str


@dataclass(frozen=True)
class ArmFailed(Event):
    """The arm can get no more epochs: it diverged, or killed its workers."""

    kind = "arm_failed"
    arm: str
    cause: str


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
        SearchStarted, SearchResumed, ArmAdded, DecisionMade, PullStarted, PullFinished,
        PullFailed, WorkerLost, ArmFailed, ArmCut, ArmAppraised, SearchFinished,
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
