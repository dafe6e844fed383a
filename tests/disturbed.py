"""A small search that is disturbed, and what must hold of it afterwards."""

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import tiny

from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.events import PullFailed, PullFinished, PullStarted, SearchFinished, SearchResumed
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold

EPOCHS = 18  # of tiny.OPTIONS
LOCAL = ("--backend", "local", "--tracking-uri", "none")


def config_of(folder, **options):
    """The search of :data:`tiny.OPTIONS` in this process."""
    from vaesearch import Config

    config = Config(
        dataset=str(folder / "blobs.npz"), image_size=16, decoders="mlp,mlp-wide,deconv",
        encoders="mlp", width=0.05, latent_dim=4, epochs=EPOCHS, batch_size=32, backend="local",
    )  # fmt: skip
    return config.changed(**{"tracking_uri": "none", **options})


def after_pulls(count, act):
    """An observer that acts once, right after the ``count``-th result is in the ledger."""
    seen = Counter()

    def observe(event, state):
        seen[type(event)] += 1
        if isinstance(event, PullFinished) and seen[PullFinished] == count:
            act()

    return observe


def events_of(run_dir):
    """The ledger so far; nothing before there is one."""
    ledger = RunDir(run_dir).ledger
    return read_ledger(ledger) if ledger.exists() else []


def lines_of(run_dir):
    ledger = RunDir(run_dir).ledger
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def start(*words, cache, **options):
    """A command as a process of its own; its messages are at its ``stderr``."""
    return subprocess.Popen(
        tiny.command(*words), env=tiny.environment(cache) | options.pop("env", {}),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def wait_until(holds, process, pause=0.002):
    """Wait until something holds; whether it came to that before the process ended."""
    while process.poll() is None:
        if holds():
            return True
        time.sleep(pause)
    return False


def kill_after(words, run_dir, lines, delay, cache):
    """Start a command and ``kill -9`` it once the ledger has ``lines`` lines, and a moment later.

    Returns False if it ended before that.
    """
    process = start(*words, cache=cache)
    reached = wait_until(lambda: lines_of(run_dir) >= lines, process)
    if reached:
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return reached


def assert_whole(run_dir, epochs=EPOCHS):
    """The search ended, its budget is spent exactly once, and what it names is there."""
    events = events_of(run_dir)
    assert isinstance(events[-1], SearchFinished)
    done = [
        (event.arm, report["epoch"])
        for event in events if isinstance(event, PullFinished) for report in event.reports
    ]  # fmt: skip
    assert len(done) == len(set(done)) == epochs
    assert_one_end_each(events)
    state = fold(events, Budget())
    store = CheckpointStore(Path(run_dir, "checkpoints"))
    for name, arm in state.arms.items():
        assert [report.epoch for report in arm.reports] == list(range(1, arm.epoch + 1))
        if state.history.arm(name).status != "failed":
            for epoch, digest in arm.checkpoints.items():
                store.load(name, epoch, digest)
    return state


def assert_one_end_each(events):
    """Every dispatch of a pull ended once: it finished, failed, or its driver died."""
    flying = Counter()
    for event in events:
        if isinstance(event, PullStarted):
            flying[event.pull] += 1
            assert flying[event.pull] == 1
        elif isinstance(event, (PullFinished, PullFailed)):
            flying[event.pull] -= 1
            assert flying[event.pull] == 0
        elif isinstance(event, SearchResumed):
            flying.clear()
    assert not any(flying.values())


def assert_two_lines(said):
    """An error for a person: no traceback, two lines at most from ``error:`` on."""
    assert "Traceback" not in said
    assert said.count("error:") == 1
    lines = said[said.index("error:") :].strip().splitlines()
    assert len(lines) <= 2, said
    return " ".join(lines)


# --- processes ---


def workers_of(driver):
    """Process ids of the workers of the search ``driver`` on a Ray of its own."""
    return [
        pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
        if read(pid, "cmdline").startswith("ray::Worker") and driver in ancestors(pid)
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


def signal_the_worker(process, run_dir, number):
    """Signal the only worker of the driver ``process`` during a pull; its process id."""
    before = lines_of(run_dir)  # an earlier driver may have left a pull in flight

    def is_at_work():
        moved = lines_of(run_dir) > before
        return moved and is_flying(run_dir) and workers_of(process.pid)

    assert wait_until(is_at_work, process)
    [pid] = workers_of(process.pid)
    os.kill(pid, number)
    return pid


def is_flying(run_dir):
    """Whether a pull was dispatched last, after a few that have come back."""
    events = events_of(run_dir)
    done = sum(isinstance(event, PullFinished) for event in events)
    return done > 1 and isinstance(events[-1], PullStarted)
