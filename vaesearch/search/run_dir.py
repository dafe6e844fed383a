"""Where everything of a run lies; no other file spells a path inside a run directory."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from vaesearch.errors import InputError, RunDirError, StorageError
from vaesearch.search.home import Home
from vaesearch.search.ledger import Ledger
from vaesearch.search.working import Working
from vaesearch.specs import folder_name
from vaesearch.storage import Folder, default_patience, folder_of, place_of

FIRST_PATIENCE = 10.0  # seconds
LOCK_ATTEMPTS = 3
LOCK_PAUSE = 0.05  # seconds


class RunDir:
    """Paths of one run, and the lock that keeps a second process out.

    A run at a URL has its home there and a copy on this machine, below the folder of the cache:
    all paths here are of the copy, but for the checkpoints. :meth:`fetch` brings the copy up to
    date, :meth:`put` and :meth:`deliver` the home; for a run at a path they do nothing.

    ::

        config.yaml  ledger.jsonl  results.json  results.md
        best.yaml, front/ARM.yaml               the best trials of a tuned search, for --config
        curves.json.gz                          what was seen of every arm, for replays
        checkpoints/ARM/epoch-00007-DIGEST.pt   last and best of each arm
        arms/ARM/*.png, model.pt                what MLflow shows on the child run
        plots/*.png                             what MLflow shows on the parent run
        replay/                                 what other policies would have done
        evaluation/ARM-epoch-00007.json         what was measured of a checkpoint
        mixtures/ARM-epoch-00007.json, .npz     Gaussians fitted to codes; the chosen ones
        study.db                                the trials of a tuned search, for Optuna's tools
        tracking.json, tracking.log             how far the upload is
        ledger/, lease/                         at a URL only: the ledger in parts, who works

    Args:
        where: a path or a URL.

    Attributes:
        address: the path or URL, as a person would write it.
        path: of the run, or of its copy.
        checkpoints: their folder, which all workers see.

    Raises:
        InputError: a URL of a kind that cannot be used.
    """

    def __init__(self, where: str | Path) -> None:
        place = place_of(where)
        self.address = str(place)
        self.home = _home_of(place) if isinstance(place, str) else None
        path = self.home.path if self.home else Path(place)
        self.path = path
        self.config = path / "config.yaml"
        self.ledger = path / "ledger.jsonl"
        self.results = path / "results.json"
        self.ranking = path / "results.md"
        self.best = path / "best.yaml"
        self.front = path / "front"
        self.curves = path / "curves.json.gz"
        self.replays = path / "replay"
        self.evaluations = path / "evaluation"
        self.mixtures = path / "mixtures"
        self.checkpoints: Folder = folder_of(place).child("checkpoints")
        self.arms = path / "arms"
        self.plots = path / "plots"
        self.study = path / "study.db"
        self.tracking_cursor = path / "tracking.json"
        self.tracking_log = path / "tracking.log"
        self._lock: IO[str] | None = None
        self._read: int | None = None  # bytes of the ledger when it was brought here
        self.working: Working | None = None

    def arm(self, name: str) -> Path:
        """The folder of an arm's model and pictures."""
        return self.arms / folder_name(name)

    def evaluation(self, arm: str, epoch: int) -> Path:
        """What was measured of an arm's checkpoint."""
        return self.evaluations / f"{folder_name(arm)}-epoch-{epoch:05d}.json"

    def mixture(self, arm: str, epoch: int) -> Path:
        """What is known of the mixtures of an arm's checkpoint."""
        return self.mixtures / f"{folder_name(arm)}-epoch-{epoch:05d}.json"

    def front_file(self, arm: str) -> Path:
        """The options of a trial that no other dominates."""
        return self.front / f"{folder_name(arm)}.yaml"

    def create(self) -> None:
        """Make the directory.

        Raises:
            StorageError: it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make {self.path}: {error.strerror}.") from error

    def lock(self) -> None:
        """Hold the directory for this process until :meth:`unlock` or death, however sudden.

        Raises:
            RunDirError: another process holds it.
        """
        try:
            handle = (self.path / ".lock").open("a+")
        except OSError as error:
            raise StorageError(f"cannot write in {self.path}: {error.strerror}.") from error
        try:
            _lock(handle)
        except OSError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise RunDirError(
                f"{self.address} is in use by process {holder}; wait for it or stop it."
            ) from error
        with suppress(OSError):  # a full disk: who holds it is only for people to read
            handle.truncate(0)
            os.write(handle.fileno(), str(os.getpid()).encode())
        self._lock = handle
        if self.home is not None:
            self._claim(self.home)

    def _claim(self, home: Home) -> None:
        """Hold the home, too."""
        try:
            self.working = Working(home)
            if self._read not in (None, _size(self.ledger)):
                raise RunDirError(
                    f"{self.address} was worked on by another process just now: try again."
                )
        except BaseException:
            self.unlock()
            raise

    def open_ledger(self) -> Ledger:
        """The ledger, to be written; at a URL what is written goes there, too.

        Raises:
            LedgerError: a line other than the last is damaged.
            StorageError: the file cannot be written.
        """
        return Ledger(self.ledger, follower=self.working.mirror if self.working else None)

    def fetch(self, *, light: bool = False) -> None:
        """Bring what a run at a URL has to this machine, unless a process here works on it.

        Args:
            light: without models, pictures and whatever else is in folders or large.

        Raises:
            StorageError: the storage does not answer.
            LedgerError: the ledger there is damaged.
        """
        if self.home is None or self._is_held():
            return
        if self.home.fetch(light=light, unless=self._is_held):
            self._read = _size(self.ledger)

    def put(self) -> None:
        """Write the files that have changed to where a run at a URL is.

        Raises:
            StorageError: the storage does not answer, is full or read-only.
        """
        if self.home is None:
            return
        if self.working is not None:
            self.home.put(delete=True)
        elif not self._is_held():
            self.home.put(unless=self._is_held)

    def deliver(self) -> None:
        """Wait until a run at a URL has every line of the ledger, and all files.

        Raises:
            StorageError: the storage does not answer, is full or read-only.
            RunDirError: another process took the run over.
        """
        if self.working is not None:
            self.working.deliver()

    def when_durable(self, act: Callable[[], None]) -> None:
        """Do something once the ledger as it is now cannot be lost; at a path, at once."""
        if self.working is None:
            act()
        else:
            self.working.mirror.when_sent(act)

    def _is_held(self) -> bool:
        """Whether a process on this machine works on the run."""
        try:
            with (self.path / ".lock").open("a+") as handle:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def discard(self) -> None:
        """Remove the directory again, unless there is something in it but the lock."""
        if self.working is not None and self.working.discard():
            self.working = None
        self.unlock()
        if all(entry.name.startswith(".") for entry in self.path.iterdir()):
            with suppress(OSError):
                for entry in self.path.iterdir():
                    entry.unlink()
                self.path.rmdir()

    def unlock(self) -> None:
        """Let go of the directory."""
        if self.working is not None:
            self.working.end()
            self.working = None
        if self._lock is not None:
            with suppress(OSError):
                self._lock.close()
            self._lock = None


def _lock(handle: IO[str]) -> None:
    """Lock a file; whoever only looks whether it is locked has it for a moment.

    Raises:
        OSError: another process holds it.
    """
    for _ in range(LOCK_ATTEMPTS - 1):
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(LOCK_PAUSE)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _home_of(url: str) -> Home:
    """Runs beside each other have copies beside each other."""
    from vaesearch.data.cache import default_dir

    above, _, name = url.rpartition("/")
    if name in (".", ".."):
        raise InputError(f"{url}: a run cannot be called {name}; write out the whole URL.")
    key = hashlib.sha256(above.encode()).hexdigest()[:16]
    path = (default_dir() / "runs" / key / name).absolute()
    # A wrong address is to be said soon, so nobody is patient with the first requests.
    return Home(folder_of(url, patience=min(FIRST_PATIENCE, default_patience())), path)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
