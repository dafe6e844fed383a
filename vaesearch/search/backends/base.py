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
    """The job raised ``error``; the worker lives on. The same job may be tried again."""

    worker: str
    job: Job
    error: str


@dataclass(frozen=True)
class Lost:
    """The worker died with the job; the backend has put another in its place."""

    worker: str
    job: Job
    error: str


Outcome = Finished | Broken | Lost


class Backend(Protocol):
    """Runs jobs on named workers, one at a time on each.

    Attributes:
        workers: how many there are, those that are still starting included.
    """

    workers: int

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
