"""Whether a process works on a run directory, without getting in its way."""

import fcntl
import json
import os
from pathlib import Path

from vaesearch.search import lease
from vaesearch.search.run_dir import RunDir

FRESH_SECONDS = 2 * lease.DEAD_SECONDS  # of the last sign of life, by two machines' clocks
LOCKS = Path("/proc/locks")  # of this machine, on Linux


def held(lock: Path) -> bool:
    """Whether a process holds the lock file ``lock``; nothing is written.

    The kernel's list is asked first. It leaves out other machines and other containers, so where
    it has nothing the lock is tried, shared, and let go of at once.
    """
    try:
        status = lock.stat()
    except OSError:
        return False
    return _listed(status, _pid(lock)) or _refused(lock)


def beating(run: RunDir, now: float) -> bool | None:
    """Whether a process on some machine works on a run at a URL; None if nobody can say.

    Args:
        run: at a URL.
        now: Unix time; clocks may differ, so an old sign of life proves nothing.
    """
    if run.home is None:
        return False
    folder = run.home.folder
    try:
        names = folder.names(lease.FOLDER)
        card = json.loads(folder.read(names[-1])) if names else {"released": True}
        if card["released"]:
            return False
        return True if abs(now - card["time"]) < FRESH_SECONDS else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _pid(lock: Path) -> str:
    try:
        return lock.read_text().strip()
    except OSError:
        return ""


def _listed(status: os.stat_result, pid: str) -> bool:
    """Whether the kernel lists a lock on the file.

    Devices are not always listed as ``stat`` has them (on overlays), so the process may do.
    """
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    try:
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return False
    for line in lines:
        words = line.split()
        if len(words) < 6 or words[1] != "FLOCK" or words[3] != "WRITE":
            continue
        place, _, inode = words[5].rpartition(":")
        if inode == str(status.st_ino) and (place == device or words[4] == pid):
            return True
    return False


def _refused(lock: Path) -> bool:
    try:
        with lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
