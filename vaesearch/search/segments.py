"""A ledger in an object store, where no file can be appended to: numbered parts, never changed.

A part is made only if its number is free. So of two processes that both believe to be the one
who writes, the second to make part ``n`` learns that it is not, whatever clocks say.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from vaesearch.errors import LedgerError, RunDirError
from vaesearch.storage import Folder

FOLDER = "ledger"
PARTS_PER_WHOLE = 256  # after so many parts all lines so far are written in one file, for readers
READERS = 16
_PART, _WHOLE = ".jsonl", ".whole.jsonl"


class OvertakenError(RunDirError):
    """Another process writes this ledger now."""


def read_after(folder: Folder, number: int) -> tuple[bytes, int]:
    """The lines of all parts after ``number``, and the number of the last part.

    Args:
        folder: of the run.
        number: of the last part whose lines are known; 0 for none.

    Raises:
        OSError: the storage does not answer.
        LedgerError: a part is missing or damaged, part ``number`` included.
    """
    names = folder.names(FOLDER)
    wholes, parts = _numbers(names, _WHOLE), _numbers(names, _PART)
    if number and number not in parts:
        raise LedgerError(
            f"{folder.address}/{_name(number, _PART)} is gone: the run was deleted or replaced."
        )
    last = max([*parts, *wholes, number])
    start = max([w for w in wholes if w > number and not number], default=number)
    wanted = [_name(n, _PART) for n in range(start + 1, last + 1)]
    missing = sorted(set(wanted) - set(names))
    if missing:
        raise LedgerError(f"{folder.address}/{missing[0]} is missing.")
    if start > number:
        wanted = [_name(start, _WHOLE), *wanted]
    with ThreadPoolExecutor(READERS) as pool:
        return b"".join(pool.map(lambda name: _body(folder, name), wanted)), last


def identity(folder: Folder) -> str:
    """What tells this run from another at the same place: who made its first part; "" for none.

    Raises:
        OSError: the storage does not answer.
        LedgerError: the first part is damaged.
    """
    name = _name(1, _PART)
    try:
        head = folder.read(name).partition(b"\n")[0]
    except FileNotFoundError:
        return ""
    try:
        return str(json.loads(head)["by"])
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{folder.address}/{name} is damaged.") from error


class SegmentWriter:
    """Appends to the ledger of a run as long as nobody else does.

    Args:
        folder: of the run.
        token: a word that no other writer has.
        number: of the last part that is known.

    Attributes:
        number: of the last part.
    """

    def __init__(self, folder: Folder, token: str, number: int) -> None:
        self._folder, self._token = folder, token
        self.number = number
        self._since_whole = 0

    def append(self, lines: bytes) -> None:
        """Make the next part.

        Raises:
            OvertakenError: somebody else made it.
            OSError: the storage does not answer, is full or read-only.
        """
        try:
            self._folder.create(_name(self.number + 1, _PART), _head(self._token, lines) + lines)
        except FileExistsError as error:
            raise OvertakenError(
                f"{self._folder.address} is in use by another process, which took it over from "
                "this one; this one stops."
            ) from error
        self.number += 1
        self._since_whole += 1

    def claim(self) -> bytes:
        """Make an empty part, which stops whoever else still writes.

        Returns:
            Lines that somebody was faster to write.
        """
        seen = b""
        while True:
            try:
                self.append(b"")
                return seen
            except OvertakenError:
                more, self.number = read_after(self._folder, self.number)
                seen += more

    @property
    def has_many_parts(self) -> bool:
        """Whether it is time for :meth:`write_whole`."""
        return self._since_whole >= PARTS_PER_WHOLE

    def write_whole(self, content: bytes) -> None:
        """Write all lines so far, ``content``, in one file, for those who read."""
        self._folder.write(_name(self.number, _WHOLE), _head(self._token, content) + content)
        self._since_whole = 0


def _name(number: int, suffix: str) -> str:
    return f"{FOLDER}/{number:08d}{suffix}"


def _numbers(names: Sequence[str], suffix: str) -> list[int]:
    stems = (n.removeprefix(f"{FOLDER}/").removesuffix(suffix) for n in names if suffix in n)
    return [int(stem) for stem in stems if stem.isdigit()]


def _head(token: str, lines: bytes) -> bytes:
    head = {"by": token, "lines": lines.count(b"\n")}
    return json.dumps(head, separators=(",", ":")).encode() + b"\n"


def _body(folder: Folder, name: str) -> bytes:
    content = folder.read(name)
    head, _, lines = content.partition(b"\n")
    try:
        whole = json.loads(head)["lines"] == lines.count(b"\n")
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise LedgerError(f"{folder.address}/{name} is damaged.")
    return lines
