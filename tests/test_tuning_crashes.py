"""A tuned search that is killed at random moments has the trials of the undisturbed one."""

import random
import signal
import subprocess
import time

import pytest
import tiny

from vaesearch.events import ArmAdded, DecisionMade, PullFinished, TrialRefused
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir

OPTIONS = [
    "--dataset", "digits", "--image-size", "8", "--width", "0.1", "--epochs", "18", "--trials",
    "8", "--train-limit", "300", "--tracking-uri", "none",
]  # fmt: skip
LOCAL = ["--backend", "local"]
COMMANDS = {
    "tune": ["tune", *OPTIONS, "--decoders", "mlp", "--sampler", "tpe:n_startup_trials=3",
             "--constraint", "parameters<=22K"],
    "search": ["search", *OPTIONS, "--decoders", "mlp,mlp-wide", "--sampler", "cmaes:popsize=4",
               "--constraint", "parameters<=30500"],
}  # fmt: skip


def trials(run_dir):
    """The trials, their values, what was decided and what came of it, without times."""
    events = read_ledger(RunDir(run_dir).ledger)
    joined = [(type(e).__name__, e.trial, e.group, e.values) for e in events
              if isinstance(e, (ArmAdded, TrialRefused))]  # fmt: skip
    decided = [(e.arm, e.epochs) for e in events if isinstance(e, DecisionMade)]
    rewards = [(e.arm, r["epoch"], r["reward"]) for e in events if isinstance(e, PullFinished)
               for r in e.reports]  # fmt: skip
    return joined, decided, rewards


def kill_at(words, run_dir, lines, delay, folder):
    """Start a command and ``kill -9`` it a moment after the ledger has ``lines`` lines."""
    process = subprocess.Popen(
        tiny.command(*words), env=tiny.environment(folder),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ledger = RunDir(run_dir).ledger
    while process.poll() is None:
        if ledger.exists() and ledger.read_bytes().count(b"\n") >= lines:
            time.sleep(delay)
            process.kill()
            process.wait()
            return
        time.sleep(0.002)
    raise AssertionError("the search ended before it could be killed")


def lines_of(run_dir):
    ledger = RunDir(run_dir).ledger
    return len(read_ledger(ledger)) if ledger.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_ten_times(command, tmp_path):
    words = COMMANDS[command]
    whole = tmp_path / "whole"
    done = tiny.run(*words, *LOCAL, "--run-dir", whole, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    assert any(name == "TrialRefused" for name, *_ in trials(whole)[0])
    killed, rng = tmp_path / "killed", random.Random(command)
    step = (lines_of(whole) - 20) // 10
    begin = [*words, *LOCAL, "--run-dir", killed]
    for number in range(10):
        wanted = max(step * number + rng.randrange(1, step), lines_of(killed) + 1)
        kill_at(begin, killed, wanted, rng.uniform(0, 0.05), tmp_path)
        begin = ["resume", killed] if lines_of(killed) else begin
    done = tiny.run("resume", killed, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    assert trials(killed) == trials(whole)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_interrupted_search_says_how_to_go_on(tmp_path):
    run_dir = tmp_path / "run"
    process = subprocess.Popen(
        tiny.command(*COMMANDS["tune"], *LOCAL, "--run-dir", run_dir),
        env=tiny.environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    while lines_of(run_dir) < 6:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"vaesearch resume {run_dir}" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", COMMANDS)
def test_two_workers_on_ray_train_distinct_trials(command, tmp_path):
    run_dir = tmp_path / "run"
    words = [*COMMANDS[command], "--backend", "ray", "--workers", "2", "--run-dir", run_dir]
    done = tiny.run(*words, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    joined, _, rewards = trials(run_dir)
    added = [(group, tuple(values.items())) for name, _, group, values in joined
             if name == "ArmAdded"]  # fmt: skip
    assert len(added) == len(set(added)) >= 4
    assert [number for _, number, *_ in joined] == list(range(len(joined)))
    assert len(rewards) == 18
