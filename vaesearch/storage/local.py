"""A folder on a file system that this machine has mounted."""

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

DRAFTS = (".tmp", ".new")  # what a file is called while it is written


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
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
        try:
            write_atomically(draft, content)
            os.link(draft, path)
        except FileExistsError:
            if path.read_bytes() != content:
                raise
        finally:
            draft.unlink(missing_ok=True)

    def names(self, under: str = "") -> Sequence[str]:
        """Sorted; temporary files are left out."""
        return sorted(p.relative_to(self.path).as_posix() for p in self._files(under))

    def stamps(self, under: str = "") -> Mapping[str, str]:
        """Time of the last change, and size; files that go in between are left out."""
        found = {}
        for path in self._files(under):
            with suppress(FileNotFoundError):
                at = path.stat()
                found[path.relative_to(self.path).as_posix()] = f"{at.st_mtime_ns}-{at.st_size}"
        return found

    def _files(self, under: str) -> Iterator[Path]:
        found = (p for p in (self.path / under).rglob("*") if p.is_file())
        return (p for p in found if p.suffix not in DRAFTS)

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
    # Unlike a process id this differs between machines that share a file system.
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.tmp")
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
