"""Checkpoints: written whole or not at all, named by epoch, known by digest, loaded without code.

A file's name carries its epoch, so a pull that is repeated after a crash still finds the epoch it
started from: nothing is overwritten that the ledger may need.
"""

import hashlib
import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from vaesearch.errors import CheckpointError, StorageError
from vaesearch.specs import folder_name
from vaesearch.storage.local import write_atomically


class CheckpointStore:
    """Checkpoints of all arms of a run under one folder that every worker sees."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def path(self, arm: str, epoch: int) -> Path:
        """Where the checkpoint of ``arm`` after ``epoch`` epochs lies."""
        return self.folder / folder_name(arm) / f"epoch-{epoch:05d}.pt"

    def save(self, arm: str, epoch: int, payload: dict[str, Any]) -> str:
        """Write ``payload`` durably; returns its SHA-256.

        Raises:
            StorageError: the disk is full or read-only; no half file is left under the name.
        """
        buffer = io.BytesIO()
        torch.save(payload, buffer)
        path = self.path(arm, epoch)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue())
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror}.") from error
        return hashlib.sha256(buffer.getbuffer()).hexdigest()

    def load(self, arm: str, epoch: int, digest: str, device: str = "cpu") -> dict[str, Any]:
        """The payload saved for ``arm`` at ``epoch``.

        Raises:
            CheckpointError: missing, damaged, or not the file that ``digest`` names.
        """
        path = self.path(arm, epoch)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror}.") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise CheckpointError(f"{path} is damaged: its digest is not the ledger's.")
        try:
            payload: dict[str, Any] = torch.load(
                io.BytesIO(content), map_location=device, weights_only=True
            )
            held = payload["arm"], payload["epoch"]
        except (RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
            raise CheckpointError(f"{path} is not a checkpoint of vaesearch.") from error
        if held != (arm, epoch):
            raise CheckpointError(
                f"{path} holds {held[0]} at epoch {held[1]}, not {arm} at {epoch}."
            )
        return payload

    def prune(self, arm: str, keep: set[int]) -> None:
        """Delete checkpoints of ``arm`` that are older than the newest of ``keep``, but for those.

        Newer ones are left alone: a pull in flight may just have written them.
        """
        for path in self.path(arm, 0).parent.glob("epoch-*.pt*"):
            epoch = int(path.name.removeprefix("epoch-").partition(".")[0])
            is_old = epoch < max(keep) and epoch not in keep
            # A temporary file of an epoch that is kept was left by a process that died.
            if is_old or (epoch in keep and path.suffix == ".tmp"):
                path.unlink(missing_ok=True)

    def keep_only(self, arm: str, keep: set[int]) -> None:
        """Delete all checkpoints of ``arm``, which is not trained any more, but for ``keep``."""
        for path in self.path(arm, 0).parent.glob("epoch-*.pt"):
            if int(path.stem.removeprefix("epoch-")) not in keep:
                path.unlink(missing_ok=True)
