"""What the controller asks of a backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vaesearch.records import Appraisal, AppraisalRequest, PullReport, PullRequest

Job = PullRequest | AppraisalRequest


@dataclass(frozen=True)
class Finished:
    """The job is done and durable.

    ``seconds`` went by from when the worker was told until the result was here; None if unknown.
    """

    worker: str
    job: Job
    result: PullReport | Appraisal
    seconds: float | None = None


@dataclass(frozen=True)
class Broken:
    """The job raised ``error``; the worker lives on. The same job may be tried again.

    ``out_of_memory`` where the arm does not fit into the memory of a GPU as it is, so that trying
    again would not help.
    """

    worker: str
    job: Job
    error: str
    out_of_memory: bool = False


@dataclass(frozen=True)
class Lost:
    """The worker died, or hung and was stopped, with the job, if it had one.

    The backend starts another as soon as there is room. ``blameless`` where its whole machine went
    away, so that the job had no part in it.
    """

    worker: str
    job: Job | None
    error: str
    blameless: bool = False


@dataclass(frozen=True)
class Joined:
    """A worker is up and can take jobs."""

    worker: str
    node: str
    device: str


@dataclass(frozen=True)
class Left:
    """An idle worker was let go."""

    worker: str
    reason: str


Outcome = Finished | Broken | Lost | Joined | Left


class Backend(Protocol):
    """Runs jobs on named workers, one at a time on each.

    Attributes:
        workers: how many there are, those that are still starting included. It may change while
            machines come and go.
    """

    @property
    def workers(self) -> int:
        """How many there are."""
        ...

    def want(self, workers: int) -> None:
        """Say how many workers could be of use from now on; the backend may have fewer.

        More machines are asked for up to that number, and those beyond it are let go.
        """
        ...

    def idle(self) -> Sequence[str]:
        """Names of the workers that can take a job now."""
        ...

    def submit(self, job: Job, worker: str) -> None:
        """Give ``job`` to an idle worker; returns at once or when the job is done."""
        ...

    def wait(self, timeout: float) -> Sequence[Outcome]:
        """What has come back since the last call; blocks up to ``timeout`` seconds for the first.

        Raises:
            StorageError: a worker cannot write its checkpoints; trying again would not help.
            VaesearchError: no worker is left and none can be had.
        """
        ...

    def now(self) -> float:
        """Seconds on the clock that budgets are measured by."""
        ...

    def close(self) -> None:
        """Stop all workers; what they were doing is dropped."""
        ...
