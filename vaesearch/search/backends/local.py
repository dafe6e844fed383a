"""One worker in this process: for debugging, and for GPU machines without Ray."""

import time
from collections.abc import Callable, Sequence

from vaesearch.errors import OutOfMemoryError, StorageError, VaesearchError
from vaesearch.memory import has_lost_gpu
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
        self._lost = ""  # how CUDA said that this process has no GPU any more

    def want(self, workers: int) -> None:
        """There is one, however many would be of use."""

    def idle(self) -> Sequence[str]:
        """The one worker, unless it has a job."""
        return () if self._job else (WORKER,)

    def submit(self, job: Job, worker: str) -> None:
        """Keep the job for the next :meth:`wait`."""
        self._job = job

    def wait(self, timeout: float) -> Sequence[Outcome]:
        """Do the job.

        Raises:
            StorageError: the storage does not take or give a checkpoint.
            VaesearchError: the job before has cost this process its GPU.
        """
        if self._job is None:
            return ()
        if self._lost:
            raise VaesearchError(
                f"this process cannot use its GPU any more ({self._lost}). Every finished epoch "
                "is kept: go on in a new process with vaesearch resume RUN_DIR."
            )
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
            # Counted as a failure of the arm, which may be why: after three it is out.
            if has_lost_gpu(error):
                self._lost = str(error).split("\n", 1)[0]
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
