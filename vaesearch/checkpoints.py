"""Checkpoints: written whole or not at all, named by epoch and digest, loaded without code.

A file's name carries its epoch and the start of its digest, and it never changes. So a pull that
is repeated after a crash still finds the epoch it started from, and two attempts at the same
epoch, such as one on a machine that was given up on and one in its place, cannot damage each
other: the ledger says which of them counts.
"""

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from vaesearch.errors import CheckpointError, StorageError
from vaesearch.specs import folder_name
from vaesearch.storage import Folder, folder_of
from vaesearch.storage.local import LocalFolder

DIGITS = 12  # of the digest in a name: two attempts at one epoch never have them in common
_NAME = re.compile(r"epoch-(\d+)(?:-([0-9a-f]+))?\.pt")


class CheckpointStore:
    """Checkpoints of all arms of a run under one folder that every worker sees.

    Args:
        folder: a folder anywhere, or a path.
    """

    def __init__(self, folder: Folder | Path) -> None:
        self.folder = folder_of(folder.absolute()) if isinstance(folder, Path) else folder

    def address(self, arm: str, epoch: int, digest: str) -> str:
        """Where the checkpoint of ``arm`` after ``epoch`` epochs lies."""
        return f"{self.folder.address}/{_name(arm, epoch, digest)}"

    def has(self, arm: str, epoch: int, digest: str) -> bool:
        """Whether there is such a file; it is not looked into.

        Raises:
            StorageError: the storage does not answer.
        """
        names = self._names(arm)
        return bool({_name(arm, epoch, digest), _old_name(arm, epoch)} & set(names))

    def save(self, arm: str, epoch: int, payload: dict[str, Any]) -> str:
        """Write ``payload`` durably; returns its SHA-256.

        Raises:
            StorageError: the disk is full or read-only; no half file is left under the name.
        """
        buffer = io.BytesIO()
        torch.save(payload, buffer)
        digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
        try:
            self.folder.write(_name(arm, epoch, digest), buffer.getvalue())
        except OSError as error:
            where = self.address(arm, epoch, digest)
            raise StorageError(f"cannot write {where}: {error.strerror or error}.") from error
        return digest

    def load(self, arm: str, epoch: int, digest: str, device: str = "cpu") -> dict[str, Any]:
        """The payload saved for ``arm`` at ``epoch``.

        Raises:
            CheckpointError: missing, damaged, or not the file that ``digest`` names.
            StorageError: the storage does not answer, or everything is missing.
        """
        where, content = self.address(arm, epoch, digest), self._read(arm, epoch, digest)
        if hashlib.sha256(content).hexdigest() != digest:
            raise CheckpointError(f"{where} is damaged: its digest is not the ledger's.")
        try:
            payload: dict[str, Any] = torch.load(
                io.BytesIO(content), map_location=device, weights_only=True
            )
            held = payload["arm"], payload["epoch"]
        except (RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
            raise CheckpointError(f"{where} is not a checkpoint of vaesearch.") from error
        if held != (arm, epoch):
            raise CheckpointError(
                f"{where} holds {held[0]} at epoch {held[1]}, not {arm} at {epoch}."
            )
        return payload

    def _read(self, arm: str, epoch: int, digest: str) -> bytes:
        try:
            try:
                return self.folder.read(_name(arm, epoch, digest))
            except FileNotFoundError as missing:
                try:
                    return self.folder.read(_old_name(arm, epoch))
                except FileNotFoundError:
                    raise missing from None
        except OSError as error:
            where = self.address(arm, epoch, digest)
            # One file that is missing is the arm's trouble; a storage that does not answer, or
            # has nothing any more, is everybody's, and no arm must fail for it.
            is_one = isinstance(error, FileNotFoundError) and self._has_any()
            kind = CheckpointError if is_one else StorageError
            raise kind(f"cannot read {where}: {error.strerror or error}.") from error

    def _has_any(self) -> bool:
        try:
            return bool(self.folder.names())
        except OSError:
            return False

    def prune(self, arm: str, keep: Mapping[int, str]) -> None:
        """Delete what no line of the ledger leads back to any more.

        Newer checkpoints than all of ``keep`` are left alone: a pull in flight may just have
        written them.

        Args:
            arm: its name.
            keep: the epochs that are still needed, each with its digest.

        Raises:
            StorageError: the storage does not answer, or does not let files be deleted.
        """
        newest = max(keep, default=0)
        for name, epoch, start in self._files(arm):
            another = epoch in keep and start is not None and not keep[epoch].startswith(start)
            if another or (epoch < newest and epoch not in keep):
                self._remove(name)
        if isinstance(self.folder, LocalFolder):
            _sweep(self.folder.path / folder_name(arm), newest)

    def keep_only(self, arm: str, keep: Collection[int]) -> None:
        """Delete all checkpoints of ``arm``, which is not trained any more, but for ``keep``.

        Raises:
            StorageError: the storage does not answer, or does not let files be deleted.
        """
        for name, epoch, _ in self._files(arm):
            if epoch not in keep:
                self._remove(name)

    def _files(self, arm: str) -> Iterator[tuple[str, int, str | None]]:
        """Name, epoch and start of the digest of every checkpoint of an arm."""
        for name in self._names(arm):
            if match := _NAME.fullmatch(name.rpartition("/")[2]):
                yield name, int(match[1]), match[2]

    def _names(self, arm: str) -> Collection[str]:
        try:
            return self.folder.names(folder_name(arm))
        except OSError as error:
            where = f"{self.folder.address}/{folder_name(arm)}"
            raise StorageError(f"cannot read {where}: {error.strerror or error}.") from error

    def _remove(self, name: str) -> None:
        try:
            self.folder.remove(name)
        except OSError as error:
            where = f"{self.folder.address}/{name}"
            raise StorageError(f"cannot delete {where}: {error.strerror or error}.") from error


def _name(arm: str, epoch: int, digest: str) -> str:
    return f"{folder_name(arm)}/epoch-{epoch:05d}-{digest[:DIGITS]}.pt"


def _old_name(arm: str, epoch: int) -> str:
    """As it was before names had digests."""
    return f"{folder_name(arm)}/epoch-{epoch:05d}.pt"


def _sweep(folder: Path, newest: int) -> None:
    """Delete temporary files that a process left which died while it wrote an older epoch."""
    for path in folder.glob("epoch-*.tmp"):
        epoch = re.match(r"epoch-(\d+)", path.name)
        if epoch and int(epoch[1]) <= newest:
            path.unlink(missing_ok=True)
