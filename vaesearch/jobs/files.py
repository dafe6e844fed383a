"""Files of this machine that go with a job, under names that follow from their content."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vaesearch.errors import InputError
from vaesearch.jobs.starter import SENT

MOST_BYTES = 200_000_000  # the head holds them in memory, and hands them to every node
_CURE = "Put it on storage that all nodes see, and give its absolute path there."


@dataclass(frozen=True)
class Sent:
    """Files that go along.

    Attributes:
        files: pairs of a name in the working directory of the job and a path here.
        value: what the option is to say there.
    """

    files: tuple[tuple[str, Path], ...]
    value: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(path.stat().st_size for _, path in self.files)


def pack(path: Path, *, label: str, only: Sequence[str] | None = None) -> Sent:
    """A file, or a folder with all or ``only`` some of its files, to be sent.

    Args:
        path: on this machine.
        label: what the user typed, for messages.
        only: names of files in the folder; the value is then the folder.

    Raises:
        InputError: there is nothing, it cannot be read, or it is too large.
    """
    base = path if only is not None else path.parent
    try:
        if only is not None:
            found = [path / name for name in only]
        elif path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file() and not is_ignored(p, path))
        elif path.exists():
            found = [path]
        else:
            raise InputError(f"{label}: there is nothing here of that name that could be sent.")
        refuse_large(sum(p.stat().st_size for p in found), label)
        files = [(p.relative_to(base).as_posix(), p) for p in found]
        folder = f"{SENT}/{_digest(files)}"
    except OSError as error:
        raise InputError(f"{label} cannot be read: {error.strerror}.") from error
    value = folder if only is not None else f"{folder}/{path.name}"
    return Sent(tuple((f"{folder}/{name}", p) for name, p in files), value)


def refuse_large(size: int, what: str) -> None:
    """Refuse to send more than a head should hold.

    Raises:
        InputError: says how much, and where it belongs.
    """
    if size > MOST_BYTES:
        raise InputError(
            f"{what}: {size / 1e6:,.0f} MB are too much to go with a job (at most "
            f"{MOST_BYTES / 1e6:.0f} MB).\n{_CURE}"
        )


def stage(sent: Sequence[Sent], folder: Path) -> None:
    """Copy the files to below ``folder``, as the job is to find them.

    Raises:
        ValueError: a name that leads out of it.
    """
    for each in sent:
        for name, path in each.files:
            if os.path.isabs(name) or ".." in Path(name).parts:
                raise ValueError(f"{name} does not lie below the folder of the job")
            target = folder / name
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def is_ignored(path: Path, root: Path) -> bool:
    """What Ray would leave out or take for an instruction."""
    parts = path.relative_to(root).parts
    return "__pycache__" in parts or ".git" in parts or path.name in (".gitignore", ".rayignore")


def _digest(files: Sequence[tuple[str, Path]]) -> str:
    whole = hashlib.sha256()
    for name, path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(os.fsencode(f"{name}\0{content}\n"))
    return whole.hexdigest()[:16]
