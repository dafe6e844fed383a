"""A folder on a file system that this machine has mounted."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


class LocalFolder:
    """See :class:`~vaesearch.storage.core.Folder`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.address = str(path)

    def read(self, name: str) -> bytes:
        """The bytes of the file."""
        return (self.path / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """By way of a temporary file that is synced and renamed."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)

    def create(self, name: str, content: bytes) -> None:
        """By way of a temporary file that is synced and linked."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        write_atomically(draft, content)
        try:
            os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    def names(self, under: str = "") -> Sequence[str]:
        """Sorted; temporary files are left out."""
        found = (p for p in (self.path / under).rglob("*") if p.is_file())
        kept = (p for p in found if p.suffix not in (".tmp", ".new"))
        return sorted(p.relative_to(self.path).as_posix() for p in kept)

    def remove(self, name: str) -> None:
        """Unlink it."""
        (self.path / name).unlink(missing_ok=True)

    def child(self, name: str) -> "LocalFolder":
        """A folder inside."""
        return LocalFolder(self.path / name)


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` so that ``path`` holds the old or the new bytes whole, even after a crash.

    Raises:
        OSError: it could not be written; the temporary file is removed.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
