"""How far the upload of a run is, on disk: ``tracking.json`` and the uploader's lock."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.uris import identity


@dataclass(frozen=True)
class Cursor:
    """What one store has of one run.

    Attributes:
        uri, experiment: the store, without user and password.
        sent: ledger lines that are there.
        complete: whether artifacts and final states are there too.
        error: why the last attempt failed; empty if it did not.
        evaluations: files of measurements and mixtures that are there, by name, each with its
            stamp.
    """

    uri: str
    experiment: str
    sent: int = 0
    complete: bool = False
    error: str = ""
    evaluations: dict[str, str] = field(default_factory=dict)


def load_cursor(run_dir: RunDir, uri: str, experiment: str) -> Cursor:
    """The cursor on disk, or one at the start if it is damaged, missing or of another store.

    Starting over is always safe, since sending something twice changes nothing.
    """
    fresh = Cursor(identity(uri), experiment)
    try:
        stored = Cursor(**json.loads(run_dir.tracking_cursor.read_text()))
    except (OSError, ValueError, TypeError):
        return fresh
    same = (stored.uri, stored.experiment) == (fresh.uri, fresh.experiment)
    return stored if same else fresh


def save_cursor(run_dir: RunDir, cursor: Cursor) -> None:
    """Replace the cursor on disk in one step.

    Raises:
        OSError: it cannot be written.
    """
    path = run_dir.tracking_cursor
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(cursor)))
    os.replace(temporary, path)


def lock_path(run_dir: RunDir) -> Path:
    """The file that the uploader of ``run_dir`` holds, so that there is never a second one."""
    return run_dir.path / ".tracking.lock"


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file ``path``, which dies with the process.

    Raises:
        BlockingIOError: another process holds it and ``wait`` is False.
    """
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
