"""Killing things: the results are those of the undisturbed search, and nothing is done twice."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
import tiny

from vaesearch.events import PullFinished, PullStarted, WorkerLost
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crashes")
    tiny.write_dataset(folder)
    return folder


@pytest.fixture(scope="module")
def begin(folder):
    """The words that start the search, on a backend, in a run directory."""

    def words(run_dir, *more):
        return ["bandit", "--dataset", folder / "blobs.npz", *tiny.OPTIONS, "--run-dir", run_dir,
                *more]  # fmt: skip

    return words


@pytest.fixture(scope="module")
def undisturbed(folder, begin):
    run_dir = folder / "undisturbed"
    done = tiny.run(*begin(run_dir, "--backend", "local", "--tracking-uri", "none"), cache=folder)
    assert done.returncode == 0, done.stderr
    return tiny.comparable(run_dir)


def kill_after(words, run_dir, lines, delay, cache):
    """Start a command and ``kill -9`` it once the ledger has ``lines`` lines, and a moment later.

    Returns False if it ended before that.
    """
    process = subprocess.Popen(
        tiny.command(*words), env=tiny.environment(cache),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ledger = RunDir(run_dir).ledger
    while process.poll() is None:
        if ledger.exists() and ledger.read_bytes().count(b"\n") >= lines:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


def assert_nothing_twice(run_dir):
    epochs = [
        (event.arm, report["epoch"])
        for event in read_ledger(RunDir(run_dir).ledger)
        if isinstance(event, PullFinished)
        for report in event.reports
    ]
    assert len(epochs) == len(set(epochs)) == 18


def killed_and_resumed(words, run_dir, kills, step, folder):
    """Kill the search ``kills`` times at random moments, then let it end."""
    rng = random.Random(1)
    lines = 0
    for _ in range(kills):
        lines += rng.randrange(*step)
        assert kill_after(words, run_dir, lines, rng.uniform(0, 0.05), folder)
        words = ["resume", run_dir] if read_ledger(RunDir(run_dir).ledger) else words
    done = tiny.run("resume", run_dir, cache=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
def test_killed_ten_times(folder, begin, undisturbed):
    run_dir = folder / "killed"
    words = begin(run_dir, "--backend", "local", "--tracking-uri", "none")
    killed_and_resumed(words, run_dir, 10, (2, 9), folder)
    assert tiny.comparable(run_dir) == undisturbed
    assert_nothing_twice(run_dir)


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_killed_and_tracked_once(folder, begin, undisturbed):
    run_dir = folder / "runs" / "tracked"
    killed_and_resumed(begin(run_dir, "--backend", "local"), run_dir, 3, (8, 20), folder)
    assert tiny.comparable(run_dir) == undisturbed
    assert_one_run_per_arm(folder / "runs" / "mlflow.db", run_dir)


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


def working(driver):
    """Process ids of the Ray workers of the search ``driver`` that are carrying a job out."""
    return [
        pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
        if read(pid, "cmdline").startswith("ray::_Worker.carry_out") and driver in ancestors(pid)
    ]  # fmt: skip


def ancestors(pid):
    while pid > 1:
        fields = read(pid, "stat").rpartition(")")[2].split()
        pid = int(fields[1]) if fields else 0
        yield pid


def read(pid, name):
    """A file of a process; empty if that is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


@pytest.mark.timeout(240)
def test_on_ray_killed_driver_and_killed_worker(folder, begin, undisturbed):
    run_dir = folder / "on_ray"
    words = begin(run_dir, "--workers", "1", "--tracking-uri", "none")
    assert kill_after(words, run_dir, 16, 0.02, folder)
    process = subprocess.Popen(
        tiny.command("resume", run_dir), env=tiny.environment(folder),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    kill_a_worker_in_mid_epoch(process)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert tiny.comparable(run_dir) == undisturbed
    assert_nothing_twice(run_dir)
    events = read_ledger(RunDir(run_dir).ledger)
    assert any(isinstance(event, WorkerLost) for event in events)
    assert any(isinstance(event, PullStarted) and event.attempt == 2 for event in events)


def kill_a_worker_in_mid_epoch(process):
    while process.poll() is None:
        for pid in working(process.pid):
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.001)
    raise AssertionError("the search ended before a worker could be killed")
