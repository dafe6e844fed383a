"""One worker in this process, and what becomes of it when the process loses its GPU."""

import pytest

from vaesearch.errors import OutOfMemoryError, VaesearchError
from vaesearch.records import Arm, PullReport, PullRequest, TrialSettings
from vaesearch.search.backends.base import Broken, Finished
from vaesearch.search.backends.local import WORKER, LocalBackend

JOB = PullRequest(0, Arm("a", TrialSettings("mlp")), 0, 1)
ASSERTED = RuntimeError("CUDA error: device-side assert triggered\nmore")


class Bench:
    """Does what it was told to, job after job."""

    def __init__(self, *script):
        self.script = list(script)

    def pull(self, request):
        result = self.script.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def done(backend, jobs=1):
    outcomes = []
    for _ in range(jobs):
        backend.submit(JOB, WORKER)
        outcomes += backend.wait(0.0)
    return outcomes


def test_a_job_comes_back_with_its_report():
    backend = LocalBackend(lambda: Bench(PullReport(0, (), {})))
    assert backend.wait(0.0) == ()
    [outcome] = done(backend)
    assert isinstance(outcome, Finished)
    assert outcome.result == PullReport(0, (), {})


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), OutOfMemoryError("CUDA out of memory"), KeyError(1)]
)
def test_an_error_concerns_its_arm_only(error):
    first, second = done(LocalBackend(lambda: Bench(error, PullReport(0, (), {}))), jobs=2)
    assert isinstance(first, Broken)
    assert first.out_of_memory == isinstance(error, OutOfMemoryError)
    assert isinstance(second, Finished)


def test_a_lost_gpu_fails_one_pull_and_then_ends_the_process():
    backend = LocalBackend(lambda: Bench(ASSERTED, ASSERTED))
    [outcome] = done(backend)
    assert isinstance(outcome, Broken)
    assert not outcome.out_of_memory
    assert backend.wait(0.0) == ()
    with pytest.raises(VaesearchError, match=r"device-side assert triggered.*vaesearch resume"):
        done(backend)


def test_a_gpu_that_still_answers_is_not_lost(monkeypatch):
    monkeypatch.setattr("vaesearch.memory.gpu_answers", lambda: True)
    first, second = done(LocalBackend(lambda: Bench(ASSERTED, PullReport(0, (), {}))), jobs=2)
    assert isinstance(first, Broken)
    assert isinstance(second, Finished)
