"""What the ledger says of a pull that came back or came to nothing: pure."""

from dataclasses import asdict, dataclass, field

from vaesearch.errors import OutOfMemoryError
from vaesearch.events import ArmFailed, ArmShrunk, Event, PullFailed, PullFinished
from vaesearch.records import PullReport, PullRequest
from vaesearch.search.backends.base import Broken, Finished, Lost
from vaesearch.search.state import ArmState, SearchState

MAX_ATTEMPTS = 3
# Of one pull: machines that went away under it. Each is no fault of the arm, but an arm that takes
# its machine down every time would look the same and keep the search for ever.
MAX_MISFORTUNES = 20
LEAST_BATCH = 2  # batch normalisation needs a spread


@dataclass
class Misfortunes:
    """How often each pull in flight came to nothing through no fault of its arm."""

    counts: dict[int, int] = field(default_factory=dict)

    def another(self, pull: int) -> int:
        """One more; returns how many there were."""
        self.counts[pull] = self.counts.get(pull, 0) + 1
        return self.counts[pull]

    def over(self, pull: int) -> None:
        """The pull is done."""
        self.counts.pop(pull, None)


def failure_lines(
    state: SearchState, job: PullRequest, outcome: Broken | Lost, misfortunes: Misfortunes
) -> list[Event]:
    """A pull came to nothing: that it did, and what follows for its arm."""
    name = job.arm.name
    lacked = isinstance(outcome, Broken) and outcome.out_of_memory
    blameless = lacked or (isinstance(outcome, Lost) and outcome.blameless)
    failed = PullFailed(job.pull, name, outcome.error, blameless)
    if lacked:
        return [failed, _too_large(state, state.arms[name], outcome.error)]
    if blameless:
        count = misfortunes.another(job.pull)
        if count < MAX_MISFORTUNES:
            return [failed]
        cause = f"{count} machines went away in one pull; the last: {outcome.error}"
        return [failed, ArmFailed(name, cause, lost=True)]
    if state.failures.get(job.pull, 0) + 1 < MAX_ATTEMPTS:
        return [failed]
    cause = f"{MAX_ATTEMPTS} attempts: {outcome.error}"
    return [failed, ArmFailed(name, cause, lost=isinstance(outcome, Lost))]


def _too_large(state: SearchState, arm: ArmState, error: str) -> Event:
    """An arm that does not fit into a GPU: with smaller batches from here on, or out."""
    name, size = arm.arm.name, arm.arm.settings.batch_size
    cause = f"batches of {size} do not fit into the GPU ({error})"
    if error.startswith(f"{OutOfMemoryError.__name__}: {OutOfMemoryError.VALIDATION}: "):
        cure = "smaller batches are no help: use a smaller --width or --image-size"
        return ArmFailed(name, f"the arm does not fit into the GPU ({error}); {cure}")
    if "batch_size" in arm.values:
        # Halved, it would be another point of the space than the sampler is told of.
        return ArmFailed(name, f"{cause}; the space searches batch_size: bound it from above")
    if state.config.get("on_oom", "halve") == "fail":
        return ArmFailed(name, f"{cause}: use --batch-size {size // 2}, or --on-oom halve")
    if size // 2 < LEAST_BATCH:
        return ArmFailed(name, f"{cause}: use a smaller --width, or give workers more of a GPU")
    return ArmShrunk(name, size // 2, cause)


def success_lines(job: PullRequest, outcome: Finished, *, warm: bool) -> list[Event]:
    """A pull came back: its verdict, if it diverged, and its epochs.

    The verdict comes first: if the process dies in between, an arm that diverged must not be
    pulled again from a checkpoint that was never written.

    Args:
        job: the pull.
        outcome: its report.
        warm: whether the worker did a pull before. The first one has the start of the worker in
            its time, which no later one has.
    """
    report = outcome.result
    if not isinstance(report, PullReport):
        raise TypeError(f"unexpected {type(report).__name__}")
    lines: list[Event] = []
    if report.diverged:
        lines.append(ArmFailed(job.arm.name, report.diverged))
    if report.epochs or not report.diverged:
        lines.append(
            PullFinished(
                job.pull,
                job.arm.name,
                [asdict(r) for r in report.epochs],
                {str(epoch): digest for epoch, digest in report.checkpoints.items()},
                outcome.worker,
                overhead(job, report, outcome.seconds if warm else None),
            )
        )
    return lines


def overhead(job: PullRequest, report: PullReport, taken: float | None) -> float | None:
    """Seconds of a pull beyond its epochs; None if one of them was given up on the way."""
    if taken is None or len(report.epochs) < job.epochs:
        return None
    # Rounded, so that adding up a virtual clock leaves no dust in the ledger.
    beyond = taken - report.saving - sum(r.seconds for r in report.epochs)
    return max(0.0, round(beyond, 6))
