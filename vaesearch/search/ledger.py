"""The ledger: an append-only JSONL file that is the truth about a search.

A line is written and forced to disk before the action it announces and after the work it records.
A crash can tear only the last line, which is dropped on the next opening; any other damage is an
error that names the line.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Protocol

from vaesearch.errors import LedgerError, StorageError
from vaesearch.events import Event, event_from_dict, event_to_dict

FILE_NAME = "ledger.jsonl"
BUFFER = 2**20  # bytes; the lines of one decision are far shorter


class Follower(Protocol):
    """Takes the lines elsewhere; both methods are told how many bytes are whole and durable."""

    def begin(self, end: int) -> None:
        """The ledger was opened."""
        ...

    def advance(self, end: int) -> None:
        """It has grown; StorageError where what is elsewhere cannot keep up."""
        ...


class Ledger:
    """Appends events to ``path``; opening it repairs a torn last line.

    Args:
        path: the ``ledger.jsonl`` of a run directory; made if missing.
        follower: told of every write that is durable; None for nobody.
        clock: Unix time in seconds, replaced in tests and replays.

    Raises:
        LedgerError: a line other than the last is damaged.
        StorageError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        follower: Follower | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._follower = follower
        self._clock = clock
        self._count = 0
        whole = 0
        if path.exists():
            for event, end in _parse(path):
                self._count = event.seq + 1
                whole = end
        try:
            self._file: IO[bytes] = path.open("ab", buffering=BUFFER)
            self._file.truncate(whole)
        except OSError as error:
            raise StorageError(f"cannot write the ledger {path}: {error.strerror}") from error
        if follower is not None:
            follower.begin(whole)

    @property
    def events(self) -> list[Event]:
        """All events so far, read back from the file: memory does not grow with the search."""
        if not self._file.closed:
            self._file.flush()
        return read_ledger(self.path)

    def append(self, event: Event, *, sync: bool = True) -> Event:
        """Number, time-stamp and write ``event``; returns it as written.

        Args:
            event: what happened or is about to.
            sync: force it to the disk before returning. What nothing is done about before the
                next line need not: it is written together with that line, so that a process
                that is killed leaves all lines of a decision, or none.

        Raises:
            StorageError: the disk is full or read-only. What was written before stays valid.
        """
        event = replace(event, seq=self._count, time=self._clock())
        line = json.dumps(event_to_dict(event), separators=(",", ":")).encode() + b"\n"
        try:
            self._file.write(line)
            if sync:
                self._file.flush()
                os.fsync(self._file.fileno())
        except OSError as error:
            raise StorageError(
                f"cannot write the ledger {self.path}: {error.strerror}."
            ) from error
        self._count += 1
        if sync and self._follower is not None:
            self._follower.advance(self._file.tell())
        return event

    def close(self) -> None:
        """Close the file; more appends are an error."""
        self._file.close()


def read_ledger(path: Path) -> list[Event]:
    """All whole events of a ledger, without touching it (it may be in use).

    Raises:
        LedgerError: missing file, or a line other than the last is damaged.
    """
    if not path.exists():
        raise LedgerError(f"{path.parent} is not a run directory: it has no {FILE_NAME}.")
    return [event for event, _ in _parse(path)]


def _parse(path: Path) -> Iterator[tuple[Event, int]]:
    """Events with the byte offset behind each; a damaged last line ends the iteration."""
    content = path.read_bytes()
    lines = content.split(b"\n")
    offset = 0
    for number, line in enumerate(lines, start=1):
        end = offset + len(line) + 1
        terminated = end <= len(content)
        if not line and not terminated:
            return
        try:
            event = event_from_dict(json.loads(line))
            if event.seq != number - 1:
                raise ValueError(f"sequence number {event.seq}, expected {number - 1}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            is_last = end >= len(content)
            if is_last:
                return
            raise LedgerError(f"{path}: line {number} is damaged ({error}).") from error
        if not terminated:
            return  # complete JSON but no newline: the write was cut right before it
        yield event, end
        offset = end
