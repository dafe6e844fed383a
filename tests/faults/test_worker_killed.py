"""A worker dies in the middle of an epoch: its pull is done again, and nothing else changes."""

import signal

import pytest
import tiny
from disturbed import assert_whole, events_of, kill_after, signal_the_worker, start

from vaesearch.events import PullFailed, PullStarted, WorkerLost


@pytest.mark.timeout(240)
def test_on_ray_after_its_driver_was_killed(folder, begin, undisturbed, tmp_path):
    run_dir = tmp_path / "run"
    words = begin(run_dir, "--workers", "1", "--tracking-uri", "none")
    assert kill_after(words, run_dir, 16, 0.02, folder)
    process = start("resume", run_dir, cache=folder)
    signal_the_worker(process, run_dir, signal.SIGKILL)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)
    events = events_of(run_dir)
    assert sum(isinstance(event, WorkerLost) for event in events) == 1
    [lost] = [event.pull for event in events if isinstance(event, PullFailed)]
    assert any(isinstance(e, PullStarted) and e.pull == lost and e.attempt == 2 for e in events)
