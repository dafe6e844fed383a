"""The process that decides is killed: resumed, the search ends as if nothing had happened."""

import random

import pytest
import tiny
from disturbed import LOCAL, assert_whole, events_of, kill_after


def killed_and_resumed(words, run_dir, kills, step, folder):
    """Kill the search ``kills`` times at random moments, then let it end."""
    rng = random.Random(1)
    lines = 0
    for _ in range(kills):
        lines += rng.randrange(*step)
        assert kill_after(words, run_dir, lines, rng.uniform(0, 0.05), folder)
        words = ["resume", run_dir] if events_of(run_dir) else words
    done = tiny.run("resume", run_dir, cache=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_at_random_moments(times, folder, begin, undisturbed, tmp_path):
    run_dir = tmp_path / "killed"
    step = (50 // times, 90 // times)
    killed_and_resumed(begin(run_dir, *LOCAL), run_dir, times, step, folder)
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_tracked_once(folder, begin, undisturbed, tmp_path):
    run_dir = tmp_path / "runs" / "tracked"
    words = begin(run_dir, "--backend", "local")
    killed_and_resumed(words, run_dir, 3, (8, 20), folder)
    assert tiny.comparable(run_dir) == undisturbed
    assert_one_run_per_arm(run_dir.parent / "mlflow.db", run_dir)


def assert_one_run_per_arm(database, run_dir):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name("vaesearch")
    runs = client.search_runs([experiment.experiment_id])
    arms = sorted(
        run.data.tags["vaesearch.arm"] for run in runs if "vaesearch.arm" in run.data.tags
    )
    assert arms == ["deconv", "mlp", "mlp-wide"]
    assert len(runs) == 4
    epochs = {arm["name"]: arm["epochs"] for arm in tiny.comparable(run_dir)["arms"]}
    for run in runs:
        arm = run.data.tags.get("vaesearch.arm")
        if arm:
            steps = [m.step for m in client.get_metric_history(run.info.run_id, "bpd")]
            assert sorted(steps) == list(range(1, epochs[arm] + 1))
