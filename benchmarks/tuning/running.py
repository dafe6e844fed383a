"""All runs, each in a process of its own on a core of its own; what is there is not repeated."""

import argparse
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

EXTRA = 300.0  # seconds that a run may need beside twice those of its clock


@dataclass(frozen=True)
class Job:
    """A run to be made: the command that makes it, and the file that it leaves."""

    label: str
    command: tuple[str, ...]
    path: Path


def said(parser: argparse.ArgumentParser, options: argparse.Namespace, *private: str) -> str:
    """The command that was given, with what differs from the defaults; ``private`` stays here."""
    words = ["python", f"benchmarks/{Path(parser.prog).name}"]
    for name, value in vars(options).items():
        if name not in private and value != parser.get_default(name):
            text = ",".join(value) if isinstance(value, list) else str(value)
            words += ["--" + name.replace("_", "-"), text]
    return shlex.join(words)


def run_all(jobs: Sequence[Job], side_by_side: int, seconds: float) -> list[str]:
    """Make what is missing; returns what went wrong, a line for each run that failed."""
    waiting: Queue[Job] = Queue()
    missing = [job for job in jobs if not job.path.exists()]
    for job in missing:
        waiting.put(job)
    began = time.monotonic()
    failures: list[str] = []
    done: list[str] = []
    print(f"{len(missing)} of {len(jobs)} runs to do", file=sys.stderr, flush=True)

    def work(core: int) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except Empty:
                return
            failure = _run(job, core, 2 * seconds + EXTRA)
            done.append(job.label)
            if failure:
                failures.append(failure)
            spent = time.monotonic() - began
            print(
                f"{len(done)} of {len(missing)}, {spent:.0f} s: {failure or job.label}",
                file=sys.stderr, flush=True,
            )  # fmt: skip

    cores = sorted(os.sched_getaffinity(0))
    threads = [
        threading.Thread(target=work, args=(cores[n % len(cores)],)) for n in range(side_by_side)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def _run(job: Job, core: int, limit: float) -> str | None:
    """What went wrong, or None."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [*job.command, "--core", str(core)]
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{job.label}: no end after {limit:.0f} s"
    if ended.returncode or not job.path.exists():
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        job.path.parent.mkdir(parents=True, exist_ok=True)
        job.path.with_suffix(".error").write_text(ended.stderr)
        return f"{job.label}: {last}"
    return None
