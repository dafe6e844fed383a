"""An arm that is too large: for a GPU, whose batches are halved, or for the machine."""

import pytest
import tiny
from disturbed import assert_whole, config_of, events_of

from vaesearch import run_bandit
from vaesearch.events import ArmFailed, ArmShrunk, PullFailed

GREEDY = "troubled:Greedy:most=8"


def test_halved_until_it_fits(folder, tmp_path):
    run_dir = tmp_path / "run"
    run_bandit(config_of(folder, decoders=f"mlp,{GREEDY}", policy="uniform"), run_dir)
    state = assert_whole(run_dir)
    shrunk = [event for event in events_of(run_dir) if isinstance(event, ArmShrunk)]
    assert [event.batch_size for event in shrunk] == [16, 8]
    assert {event.arm for event in shrunk} == {GREEDY}
    assert state.arms[GREEDY].arm.settings.batch_size == 8
    assert state.arms["mlp"].arm.settings.batch_size == 32
    assert state.arms[GREEDY].epoch == state.arms["mlp"].epoch == 9


def test_given_up_if_told_so(folder, tmp_path):
    run_dir = tmp_path / "run"
    run_bandit(config_of(folder, decoders=f"mlp,{GREEDY}", on_oom="fail"), run_dir)
    state = assert_whole(run_dir)
    [failed] = [event for event in events_of(run_dir) if isinstance(event, ArmFailed)]
    assert failed.arm == GREEDY
    assert "out of memory" in failed.cause
    assert state.arms["mlp"].epoch == 18
    assert state.finished.best_arm == "mlp"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_that_the_kernel_kills_cost_their_arm_and_no_other(folder, tmp_path):
    """A worker that wants more memory than the machine has dies by ``kill -9``."""
    run_dir = tmp_path / "run"
    words = ["bandit", "--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--decoders",
             "mlp,troubled:Bloated", "--workers", "2", "--tracking-uri", "none",
             "--run-dir", run_dir]  # fmt: skip
    done = tiny.run(*words, cache=folder, cwd=tiny.__file__.rpartition("/")[0])
    assert done.returncode == 0, done.stderr
    state = assert_whole(run_dir)
    events = events_of(run_dir)
    [failed] = [event for event in events if isinstance(event, ArmFailed)]
    assert failed.arm == "troubled:Bloated"
    assert failed.lost
    assert {e.arm for e in events if isinstance(e, PullFailed)} == {"troubled:Bloated"}
    assert state.arms["mlp"].epoch == 18 - state.arms["troubled:Bloated"].epoch
