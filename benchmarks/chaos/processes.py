"""Processes of this machine, by ``/proc``: whose children they are, what they call themselves."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def read(pid: int, name: str) -> str:
    """A file of a process; empty if that is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def children(pid: int) -> Iterator[int]:
    """Processes that ``pid`` started and that are still there."""
    for other in map(int, filter(str.isdigit, os.listdir("/proc"))):
        if parent(other) == pid:
            yield other


def parent(pid: int) -> int:
    """Who started it, or took it over; 0 if it is gone."""
    fields = read(pid, "stat").rpartition(")")[2].split()
    return int(fields[1]) if fields else 0


_NO_ACTORS = tuple(
    f"ray::{name}" for name in ("IDLE", "SPILL", "RESTORE", "DELETE", "DashboardAgent",
                                "RuntimeEnvAgent")
)  # fmt: skip


def actors(raylet: int) -> list[int]:
    """Worker processes of a Ray node that hold an actor; those that wait for work are left out."""
    titles = {pid: read(pid, "cmdline") for pid in children(raylet)}
    return [
        pid for pid, title in titles.items()
        if title.startswith("ray::") and not title.startswith(_NO_ACTORS)
    ]  # fmt: skip


def send(pid: int, number: signal.Signals) -> bool:
    """Signal a process; whether it was there."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
