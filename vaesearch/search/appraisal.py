"""The last step of a search: the best checkpoint of every arm against the test images."""

from collections import Counter
from collections.abc import Callable, Collection

from vaesearch.events import ArmAppraised, ArmFailed
from vaesearch.records import Appraisal, AppraisalRequest
from vaesearch.search.backends.base import Backend, Broken, Finished, Job, Joined, Left, Lost
from vaesearch.search.controller import WAIT_SECONDS, Controller
from vaesearch.search.settling import MAX_ATTEMPTS, MAX_MISFORTUNES
from vaesearch.search.staff import staff_line
from vaesearch.search.state import SearchState

Keep = Callable[[AppraisalRequest, Appraisal], None]


def appraise(
    controller: Controller, backend: Backend, keep: Keep, only: Collection[str] | None = None
) -> None:
    """Score what has not been scored yet, on the workers.

    An arm whose checkpoint cannot be scored, after several attempts, has failed: what cannot be
    loaded is not recommended, and keeps nobody from the results of the others.

    Args:
        controller: of the search, whose budget is spent.
        backend: idle.
        keep: stores the pictures; called before the figures are logged.
        only: arms that are worth it; all by default.
    """
    waiting = [job for job in pending(controller.state) if only is None or job.arm.name in only]
    attempts: Counter[tuple[str, bool]] = Counter()
    flying = 0
    while waiting or flying:
        backend.want(len(waiting) + flying)
        while waiting and backend.idle():
            backend.submit(waiting.pop(0), backend.idle()[0])
            flying += 1
        for outcome in backend.wait(WAIT_SECONDS):
            if staff := staff_line(outcome):
                controller.record(staff)
            if isinstance(outcome, Joined | Left) or outcome.job is None:
                continue
            flying -= 1
            if isinstance(outcome, Finished):
                _settle(controller, outcome, keep)
            elif again := _again(controller, outcome.job, outcome, attempts):
                waiting.append(again)


def pending(state: SearchState) -> list[AppraisalRequest]:
    """The best checkpoints without test figures, best first; failed arms are left out."""
    requests = []
    for name in state.ranking:
        arm = state.arms[name]
        failed = state.history.arm(name).status == "failed"
        if arm.best is not None and not failed and arm.best.epoch != arm.test_epoch:
            epoch = arm.best.epoch
            requests.append(AppraisalRequest(arm.arm, epoch, arm.checkpoints[epoch]))
    return requests


def _settle(controller: Controller, outcome: Finished, keep: Keep) -> None:
    job, result = outcome.job, outcome.result
    if isinstance(job, AppraisalRequest) and isinstance(result, Appraisal):
        keep(job, result)
        controller.record(ArmAppraised(result.arm, result.epoch, result.metrics))


def _again(
    controller: Controller, job: Job, outcome: Broken | Lost, attempts: Counter[tuple[str, bool]]
) -> AppraisalRequest | None:
    """The job once more; None once it has failed too often, which is the end of its arm only."""
    if not isinstance(job, AppraisalRequest):
        raise TypeError(f"unexpected {type(job).__name__}")
    blameless = isinstance(outcome, Lost) and outcome.blameless
    attempts[job.arm.name, blameless] += 1
    if attempts[job.arm.name, blameless] < (MAX_MISFORTUNES if blameless else MAX_ATTEMPTS):
        return job
    cause = f"its best checkpoint cannot be scored: {outcome.error}"
    controller.record(ArmFailed(job.arm.name, cause, lost=isinstance(outcome, Lost)))
    return None
