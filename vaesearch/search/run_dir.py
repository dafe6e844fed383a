"""Where everything of a run lies; no other file spells a path inside a run directory."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from vaesearch.errors import RunDirError, StorageError
from vaesearch.specs import folder_name


class RunDir:
    """Paths of one run, and the lock that keeps a second process out.

    ::

        config.yaml  ledger.jsonl  results.json  results.md
        best.yaml, front/ARM.yaml               the best trials of a tuned search, for --config
        curves.json.gz                          what was seen of every arm, for replays
        checkpoints/ARM/epoch-00007.pt          last and best of each arm
        arms/ARM/*.png, model.pt                what MLflow shows on the child run
        plots/*.png                             what MLflow shows on the parent run
        replay/                                 what other policies would have done
        evaluation/ARM-epoch-00007.json         what was measured of a checkpoint
        mixtures/ARM-epoch-00007.json, .npz     Gaussians fitted to codes; the chosen ones
        study.db                                the trials of a tuned search, for Optuna's tools
        tracking.json, tracking.log             how far the upload is
    """

    def __init__(self, path: Path) -> None:
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
        self.checkpoints = path / "checkpoints"
        self.arms = path / "arms"
        self.plots = path / "plots"
        self.study = path / "study.db"
        self.tracking_cursor = path / "tracking.json"
        self.tracking_log = path / "tracking.log"
        self._lock: IO[str] | None = None

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
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise RunDirError(
                f"{self.path} is in use by process {holder}; wait for it or stop it."
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock = handle

    def discard(self) -> None:
        """Remove the directory again, unless there is something in it but the lock."""
        self.unlock()
        if [entry.name for entry in self.path.iterdir()] == [".lock"]:
            with suppress(OSError):
                (self.path / ".lock").unlink()
                self.path.rmdir()

    def unlock(self) -> None:
        """Let go of the directory."""
        if self._lock is not None:
            with suppress(OSError):
                self._lock.close()
            self._lock = None
