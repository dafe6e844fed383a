"""A worker that does not move is replaced, and its pull is done by another."""

import os
import signal
from contextlib import suppress

import pytest
import tiny
from disturbed import assert_whole, events_of, signal_the_worker, start

from vaesearch.events import PullFailed, PullFinished, WorkerLost

RAY = ("--workers", "1", "--tracking-uri", "none", "--hang-seconds", "10")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_epoch_that_never_ends(folder, tmp_path):
    run_dir, marker = tmp_path / "run", tmp_path / "asleep"
    arm = f"troubled:Sleeper:marker={marker}"
    words = ["bandit", "--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--decoders",
             f"mlp,{arm}", *RAY, "--run-dir", run_dir]  # fmt: skip
    done = tiny.run(*words, cache=folder, cwd=tiny.__file__.rpartition("/")[0])
    assert done.returncode == 0, done.stderr
    assert marker.exists()
    assert_replaced(run_dir, arm)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_process_that_is_stopped(folder, begin, undisturbed, tmp_path):
    run_dir = tmp_path / "run"
    process = start(*begin(run_dir, *RAY), cache=folder)
    pid = signal_the_worker(process, run_dir, signal.SIGSTOP)
    try:
        _, said = process.communicate(timeout=250)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert process.returncode == 0, said
    assert tiny.comparable(run_dir) == undisturbed
    assert_replaced(run_dir)


def assert_replaced(run_dir, arm=None):
    """A worker was lost with its pull, which another finished; no arm is out for that.

    On a busy machine a slow worker may pass for hung, too: that costs time and nothing else.
    """
    state = assert_whole(run_dir)
    events = events_of(run_dir)
    lost = [event for event in events if isinstance(event, WorkerLost)]
    assert lost
    assert all("--hang-seconds" in event.error for event in lost)
    pulls = {event.pull: event.arm for event in events if isinstance(event, PullFailed)}
    assert len(pulls) >= 1
    assert arm is None or arm in pulls.values()
    assert pulls.keys() <= {e.pull for e in events if isinstance(e, PullFinished)}
    assert all(state.history.arm(name).status != "failed" for name in state.arms)
