"""Workers that die, hang, stop and lack memory, on a real Ray."""

import os
import signal
import time

import pytest
from clustered import (
    PATH,
    Faulty,
    Unready,
    finished,
    joined,
    kinds,
    lost,
    pull,
    ray_backend,
    until,
)

from vaesearch.errors import InputError
from vaesearch.search.backends.base import Broken, Left

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
FAULTS = ("dies", "locks", "sleeps", "stops")


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", PATH["PYTHONPATH"])


def free_worker(backend):
    while not backend.idle():
        backend.wait(1.0)
    return backend.idle()[0]


def carried_out(backend, job):
    """The outcomes up to that of ``job``."""
    backend.submit(job, free_worker(backend))
    return until(backend, lambda outcome: getattr(outcome, "job", None) == job)


@pytest.mark.timeout(240)
def test_a_worker_that_lacks_memory_lives_on(tmp_path):
    with ray_backend(tmp_path, Faulty, workers=1) as backend:
        assert backend.workers == 1
        assert kinds(backend.wait(0)) == ["Joined"]
        lacking = carried_out(backend, pull("lacks"))[-1]
        assert isinstance(lacking, Broken)
        assert lacking.out_of_memory
        assert "CUDA out of memory" in lacking.error
        assert finished(carried_out(backend, pull("mlp"))[-1])  # the same worker


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_worker_that_dies_or_whose_gpu_breaks_is_replaced(tmp_path):
    with ray_backend(tmp_path, Faulty, workers=1) as backend:
        for fault in ("dies", "breaks"):
            dead = carried_out(backend, pull(fault))[-1]
            assert lost(dead)
            assert not dead.blameless
            assert joined(until(backend, joined)[-1])
            assert finished(carried_out(backend, pull(fault))[-1])


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", FAULTS[1:])
def test_a_hung_worker_is_killed_and_replaced(tmp_path, fault):
    with ray_backend(tmp_path, Faulty, workers=1, hang_seconds=15.0) as backend:
        hung = carried_out(backend, pull(fault))[-1]
        assert lost(hung)
        assert "no step for 15 s (--hang-seconds)" in hung.error
        assert not hung.blameless
        pid = int((tmp_path / "checkpoints" / f"{fault}.mark").read_text())
        until(backend, joined)
        while os.path.exists(f"/proc/{pid}"):  # or the test times out: it does not live on
            time.sleep(0.2)
        assert finished(carried_out(backend, pull(fault))[-1])


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("signalled", [signal.SIGKILL, signal.SIGSTOP])
def test_idle_workers_that_die_or_stop_are_noticed(tmp_path, signalled):
    with ray_backend(tmp_path, workers=1, hang_seconds=15.0) as backend:
        os.kill(next(iter(backend.pool)).where.pid, signalled)
        gone = until(backend, lost)[-1]
        assert gone.job is None
        assert joined(until(backend, joined)[-1])


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_driver_that_was_away_blames_nobody(tmp_path):
    with ray_backend(tmp_path, workers=1, hang_seconds=15.0) as backend:
        backend.submit(pull("mlp", epochs=200), free_worker(backend))
        backend.wait(0.5)
        time.sleep(20.0)
        assert finished(until(backend, lambda o: getattr(o, "job", None))[-1])


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_workers_of_no_use_are_let_go_after_a_while_and_come_back(tmp_path):
    with ray_backend(tmp_path, workers=2) as backend:
        while len(backend.idle()) < 2:
            backend.wait(1.0)
        used = backend.idle()[0]
        backend.submit(pull("mlp"), used)
        until(backend, finished)
        backend.want(1)
        assert not any(isinstance(o, Left) for o in backend.wait(0))  # not at once
        left = []
        while not left:
            backend.want(1)
            left = [o for o in backend.wait(0.05) if isinstance(o, Left)]
        assert [o.worker for o in left] != [used]  # that one holds an arm
        assert backend.workers == 2  # of which policies think, whoever is let go
        assert joined(until(backend, joined)[-1])  # `until` wants more again


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_worker_that_cannot_start_ends_the_search_before_it_begins(tmp_path):
    with (
        pytest.raises(InputError, match="cannot start: ValueError: no images today"),
        ray_backend(tmp_path, Unready, workers=1),
    ):
        pass
