"""Recorded learning curves on a virtual clock: hours of search in milliseconds.

The controller cannot tell it from the real thing, so the scheduler that is benchmarked is the one
that runs, asynchrony included.
"""

import heapq
from collections.abc import Mapping, Sequence
from itertools import count

from vaesearch.errors import InputError
from vaesearch.records import Appraisal, AppraisalRequest, EpochReport, PullReport, PullRequest
from vaesearch.search.backends.base import Finished, Job, Outcome


class ReplayBackend:
    """``workers`` virtual workers that play ``curves`` back.

    Args:
        curves: per arm, the reports of its epochs 1, 2, ... in order.
        workers: how many pulls run side by side.
        failures: arms that diverge after their last recorded epoch, with the cause.
        overhead: seconds of every pull beyond its epochs; a mapping says it arm by arm.
        short: a pull beyond the end of a curve comes back with fewer epochs, or with none;
            otherwise one that would have none is an error.

    Raises:
        InputError: no curves, or an empty one of an arm that did not fail.
    """

    def __init__(
        self,
        curves: Mapping[str, Sequence[EpochReport]],
        workers: int = 1,
        *,
        failures: Mapping[str, str] | None = None,
        overhead: float | Mapping[str, float] = 0.0,
        short: bool = False,
    ) -> None:
        self._short = short
        self._failures = failures or {}
        self._overhead = overhead
        empty = [
            name for name, curve in curves.items() if not curve and name not in self._failures
        ]
        if empty or not curves:
            raise InputError(f"nothing recorded to replay for {', '.join(empty) or 'any arm'}.")
        self.workers = workers
        self._curves = curves
        self._idle = [f"worker-{i + 1}" for i in range(workers)]
        self._events: list[tuple[float, int, Finished]] = []
        self._order = count()
        self._now = 0.0

    def want(self, workers: int) -> None:
        """The number of virtual workers is given."""

    def idle(self) -> Sequence[str]:
        """Workers without a job."""
        return list(self._idle)

    def submit(self, job: Job, worker: str) -> None:
        """Schedule the end of the job."""
        self._idle.remove(worker)
        seconds, result = self._play(job)
        outcome = Finished(worker, job, result, seconds)
        heapq.heappush(self._events, (self._now + seconds, next(self._order), outcome))

    def wait(self, timeout: float) -> Sequence[Outcome]:
        """Move the clock to the next end of a job."""
        if not self._events:
            return ()
        self._now, _, outcome = heapq.heappop(self._events)
        self._idle.append(outcome.worker)
        return [outcome]

    def now(self) -> float:
        """Virtual seconds."""
        return self._now

    def close(self) -> None:
        """Nothing is held."""

    def _play(self, job: Job) -> tuple[float, PullReport | Appraisal]:
        if isinstance(job, AppraisalRequest):
            raise InputError("a replay has no models to appraise.")
        overhead = self._overhead_of(job.arm.name)
        reports, late = self._within(job, overhead)
        digests = {report.epoch: f"replay-{job.arm.name}-{report.epoch}" for report in reports}
        spent = overhead + sum(r.seconds for r in reports)
        if late and job.seconds_left is not None:
            spent = max(spent, job.seconds_left)  # the epoch that was given up took the rest
        cause = self._failures.get(job.arm.name)
        beyond = job.from_epoch + job.epochs > len(self._curves[job.arm.name])
        return spent, PullReport(
            job.pull, tuple(reports), digests, diverged=cause if beyond and not late else None
        )

    def _overhead_of(self, arm: str) -> float:
        fixed = self._overhead
        return fixed.get(arm, 0.0) if isinstance(fixed, Mapping) else fixed

    def _within(self, job: PullRequest, overhead: float) -> tuple[list[EpochReport], bool]:
        """The asked epochs that were recorded and end in time; whether one was too late."""
        asked = self._curves[job.arm.name][job.from_epoch : job.from_epoch + job.epochs]
        if not asked and not (self._short or job.arm.name in self._failures):
            raise InputError(
                f"{job.from_epoch} epochs of {job.arm.name} were recorded, and the search wants "
                "more: give the arm that limit."
            )
        left = (float("inf") if job.seconds_left is None else job.seconds_left) - overhead
        reports: list[EpochReport] = []
        for report in asked:
            left -= report.seconds
            if left < 0:
                return reports, True
            reports.append(report)
        return reports, False
