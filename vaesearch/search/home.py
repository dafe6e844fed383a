"""The home of a run in an object store, and the copy of it that this machine works on.

All but the checkpoints, which workers read and write in the home itself, is kept in the copy:
so a search and its readers deal with plain files. Nothing is in the copy alone for long.
"""

import fcntl
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vaesearch.errors import StorageError
from vaesearch.search.segments import identity, read_after
from vaesearch.storage import Folder
from vaesearch.storage.local import LocalFolder, write_atomically

LEDGER = "ledger.jsonl"
_STATE, _BUSY = ".home.json", ".home.lock"
_TRACES = ("ledger/", "lease/")
_APART = ("checkpoints/", "ledger/", "lease/", ".probe/")  # of the home alone
_PASSING = ("-journal", "-wal", "-shm", ".tmp", ".new")  # of a database or file in the making
_LARGE = (".db", ".gz")
CONNECTIONS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What the copy had of its home when the two were last compared.

    Attributes:
        files: the stamps of each file, in the home and in the copy.
        part: number of the last part of the ledger.
        size: bytes of the parts up to that.
        token: of the last process that worked on the copy.
        first: what tells the run from another at the same place.
    """

    files: Mapping[str, list[str]] = field(default_factory=dict)
    part: int = 0
    size: int = 0
    token: str = ""
    first: str = ""


class Home:
    """Brings files from the home of a run, and puts them there.

    Args:
        folder: the home.
        path: the copy.
    """

    def __init__(self, folder: Folder, path: Path) -> None:
        self.folder, self.path = folder, path
        self._copy = LocalFolder(path)

    def known(self) -> Known:
        """What is known; nothing where that is damaged."""
        try:
            return Known(**json.loads((self.path / _STATE).read_text()))
        except (OSError, ValueError, TypeError):
            return Known()

    def remember(self, known: Known) -> None:
        """Keep what is known now."""
        write_atomically(self.path / _STATE, json.dumps(asdict(known)).encode())

    def fetch(self, *, light: bool = False, unless: Callable[[], bool] = lambda: False) -> bool:
        """Bring the copy up to date.

        Args:
            light: without models, pictures and whatever else is in folders or large.
            unless: whether a process works on the copy, which is then left alone. Nobody can
                begin to between the answer and the end of this.

        Returns:
            Whether it was done.

        Raises:
            StorageError: the storage does not answer, or the copy cannot be written.
            LedgerError: the ledger in the home is damaged.
        """
        with self._alone("read"):
            if unless():
                return False
            self._fetch_ledger()
            self._fetch_files(light)
            return True

    def put(self, *, delete: bool = False, unless: Callable[[], bool] = lambda: False) -> None:
        """Write what has changed in the copy to the home.

        Args:
            delete: also what is gone from the copy, for this process alone works on the run.
            unless: as for :meth:`fetch`.

        Raises:
            StorageError: the storage does not answer, is full or read-only.
        """
        with self._alone("write"):
            if unless():
                return
            known = self.known()
            here, before = self._here(), known.files
            new = [n for n, stamp in here.items() if before.get(n, ["", ""])[1] != stamp]
            gone = [n for n in before if n not in here] if delete else []
            if not new and not gone:
                return
            _each(self._put_one, new)
            _each(self.folder.remove, gone)
            there = self.folder.stamps()
            files = {n: s for n, s in before.items() if n not in gone}
            files |= {n: [there.get(n, ""), here[n]] for n in new}
            self.remember(replace(known, files=files))

    def put_ledger(self) -> None:
        """Leave the whole ledger as one file, too, for people and for copies of the folder.

        Raises:
            StorageError: the storage does not answer, is full or read-only.
        """
        with self._alone("write"):
            self.folder.write(LEDGER, self._copy.read(LEDGER))

    def discard(self) -> bool:
        """Remove the traces of a process that only had a look, if there is nothing else.

        Returns:
            Whether all is removed.
        """
        with suppress(OSError):
            names = self.folder.names()
            if _size(self.path / LEDGER) or any(not n.startswith(_TRACES) for n in names):
                return False
            # The newest lease is the last to go: until then nobody else begins.
            for name in sorted(names, key=lambda name: (name.startswith("lease/"), name)):
                self.folder.remove(name)
            return True
        return False

    def _fetch_ledger(self) -> None:
        known, path, first = self.known(), self.path / LEDGER, identity(self.folder)
        here = path.read_bytes() if path.exists() else b""
        gone = not first and bool(known.part or here)
        other = gone or known.first not in ("", first)
        if other or len(here) < known.size:  # somebody has tampered with the copy
            known = replace(known, part=0, size=0)
        more, part = read_after(self.folder, known.part)
        if other:
            self._put_aside()
            known, here = Known(), b""
        there = here[: known.size] + more
        # A copy that has more is that of a process which died before it could send its last lines.
        if not here.startswith(there):
            write_atomically(path, there)
        self.remember(replace(known, part=part, size=len(there), first=first))

    def _put_aside(self) -> None:
        """The run that was there was deleted; what the copy has of it is not of the new one."""
        aside = self.path / f".before-{uuid.uuid4().hex[:8]}"
        aside.mkdir()
        for entry in sorted(self.path.iterdir()):
            if not entry.name.startswith("."):
                entry.rename(aside / entry.name)
        _log.warning(
            "%s is another run than before: what was here of that is in %s",
            self.folder.address, aside,
        )  # fmt: skip

    def _fetch_files(self, light: bool) -> None:
        known = self.known()
        there = {n: s for n, s in self.folder.stamps().items() if _is_shared(n)}
        here = self._here()
        wanted = [n for n, s in there.items() if n not in here or known.files.get(n, [""])[0] != s]
        if light:
            wanted = [n for n in wanted if "/" not in n and not n.endswith(_LARGE)]
        _each(self._fetch_one, wanted)
        for name in known.files:
            if name not in there:
                self._copy.remove(name)
        after = self._here()
        files = {n: s for n, s in known.files.items() if n in there}
        files |= {n: [there[n], after[n]] for n in wanted if n in after}
        self.remember(replace(known, files=files))

    def _here(self) -> dict[str, str]:
        return {n: s for n, s in self._copy.stamps().items() if _is_shared(n)}

    def _put_one(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.folder.write(name, self._copy.read(name))

    def _fetch_one(self, name: str) -> None:
        with suppress(FileNotFoundError):
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, self.folder.read(name))

    @contextmanager
    def _alone(self, act: str) -> Iterator[None]:
        """No other process on this machine meanwhile; failures in words."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with (self.path / _BUSY).open("a") as busy:
                fcntl.flock(busy, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise said(act, error.filename or self.folder.address, error) from error


def said(act: str, where: str, error: OSError) -> StorageError:
    """An error of a storage in words."""
    return StorageError(f"cannot {act} {where}: {error.strerror or error}.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_shared(name: str) -> bool:
    """Whether a file is kept in both places; never true of a name that leads out of the copy."""
    hidden = any(not part or part.startswith(".") for part in name.split("/"))
    return not (hidden or name == LEDGER or name.startswith(_APART) or name.endswith(_PASSING))


def _each(act: Callable[[str], None], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(act, names):
            pass
