"""One worker in this process: for debugging, and for GPU machines without Ray."""

import time
from collections.abc import Callable, Sequence

from vaesearch.errors import OutOfMemoryError, StorageError
from vaesearch.pull import Workbench
from vaesearch.records import Appraisal, PullReport, PullRequest
from vaesearch.search.backends.base import Broken, Finished, Job, Outcome

WORKER = "local"


class LocalBackend:
    """Carries a job out inside :meth:`wait`, so that a debugger and Ctrl-C see it directly."""

    workers = 1

    def __init__(self, workbench: Callable[[], Workbench]) -> None:
        self._make = workbench
        self._bench: Workbench | None = None
        self._job: Job | None = None

    def want(self, workers: int) -> None:
        """There is one, however many would be of use."""

    def idle(self) -> Sequence[str]:
        """The one worker, unless it has a job."""
        return () if self._job else (WORKER,)

    def submit(self, job: Job, worker: str) -> None:
        """Keep the job for the next :meth:`wait`."""
        self._job = job

    def wait(self, timeout: float) -> Sequence[Outcome]:
        """Do the job."""
        if self._job is None:
            return ()
        job, self._job = self._job, None
        if self._bench is None:
            self._bench = self._make()
        started = time.monotonic()
        try:
            result = carry_out(self._bench, job)
            return [Finished(WORKER, job, result, time.monotonic() - started)]
        except StorageError:
            raise
        # Whatever a user's network may raise concerns this arm, not the search.
        except Exception as error:
            lacked = isinstance(error, OutOfMemoryError)
            return [Broken(WORKER, job, f"{type(error).__name__}: {error}", lacked)]

    def now(self) -> float:
        """Seconds of a monotonic clock."""
        return time.monotonic()

    def close(self) -> None:
        """Forget images and states."""
        self._bench = None


def carry_out(bench: Workbench, job: Job) -> PullReport | Appraisal:
    """The result of a job of either kind."""
    return bench.pull(job) if isinstance(job, PullRequest) else bench.appraise(job)
