"""The ledger, followed to its home in an object store by a thread.

While one part is sent, lines gather for the next. The search goes on meanwhile, but never far:
where the storage is slow it waits, and where the storage does not take a part at all it stops.
"""

import errno
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vaesearch.errors import StorageError, VaesearchError
from vaesearch.search.segments import SegmentWriter

_log = logging.getLogger(__name__)

FINAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


@dataclass(frozen=True)
class Limits:
    """How far a search may run ahead of its storage.

    Attributes:
        writes: forced to the disk of this machine and not yet sent.
        seconds: that the oldest of them has waited.
        gather: seconds between two parts, so that there are not too many of them.
        note_after: seconds of waiting that are worth a remark.
    """

    writes: int = 256
    seconds: float = 30.0
    gather: float = 0.5
    note_after: float = 5.0


class LedgerMirror:
    """Sends what a ledger gains.

    Args:
        path: the ledger on this machine.
        writer: takes its lines.
        sent: bytes at the start of the file that are there already.
        address: of the run, for messages.
        is_lost: whether another process has taken the run over.
        limits: how far the search may run ahead.

    Attributes:
        sent: bytes of the ledger that are in its home.
        note: told, once, that the search waits.
    """

    def __init__(
        self,
        path: Path,
        writer: SegmentWriter,
        sent: int,
        address: str,
        *,
        is_lost: Callable[[], bool] = lambda: False,
        limits: Limits | None = None,
    ) -> None:
        self._path, self.writer, self._address = path, writer, address
        self._is_lost, self._limits = is_lost, limits or Limits()
        self.sent = sent
        self._end = sent
        self._waiting: deque[tuple[int, float]] = deque()  # ends of writes, each with its time
        self._later: deque[tuple[int, Callable[[], None]]] = deque()
        self._news = threading.Condition()
        self._hurry = self._closing = self._noted = False
        self._failure: VaesearchError | None = None
        self._thread: threading.Thread | None = None
        self.note: Callable[[str], None] = lambda text: _log.warning("%s", text)

    def begin(self, end: int) -> None:
        """Send what is there, up to ``end``, and then what comes."""
        self._thread = threading.Thread(target=self._follow, daemon=True, name="ledger mirror")
        self._thread.start()
        if end > self.sent:
            self.advance(end)

    def advance(self, end: int) -> None:
        """Take note that the ledger is on this machine's disk up to ``end``.

        Returns when the storage is not too far behind.

        Raises:
            StorageError: it does not take the ledger; says how to go on later.
            OvertakenError: another process works on the run.
        """
        with self._news:
            self._end = end
            self._waiting.append((end, time.monotonic()))
            self._news.notify_all()
            began = time.monotonic()
            while self._is_far() and not self._failure:
                self._news.wait(0.2)
                if time.monotonic() - began > self._limits.note_after and not self._noted:
                    self._noted = True
                    self.note(f"{self._address} is slow: the search waits for it.")
            self._check()

    def when_sent(self, act: Callable[[], None]) -> None:
        """Do something as soon as all that is in the ledger now is in its home, too."""
        with self._news:
            self._later.append((self._end, act))
            self._news.notify_all()

    def flush(self, timeout: float | None = None) -> None:
        """Wait until everything is there, what was to be done after it included.

        Raises:
            StorageError: it cannot be sent, or not in ``timeout`` seconds.
            OvertakenError: another process works on the run.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._news:
            self._hurry = True
            self._news.notify_all()
            while self._thread and (self._waiting or self._later) and not self._failure:
                if deadline is not None and time.monotonic() > deadline:
                    raise StorageError(f"{self._address} does not have the last lines yet.")
                self._news.wait(0.2)
            self._hurry = False
            self._check()

    def close(self) -> None:
        """End the thread; what was not sent stays in the ledger of this machine."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(1.0)

    def _is_far(self) -> bool:
        if not self._waiting:
            return False
        late = time.monotonic() - self._waiting[0][1] > self._limits.seconds
        return late or len(self._waiting) > self._limits.writes

    def _check(self) -> None:
        if self._failure:
            raise self._failure

    def _follow(self) -> None:
        while True:
            with self._news:
                while not (self._waiting or self._later or self._closing):
                    self._news.wait()
                if self._closing:
                    return
                end = self._end
            try:
                self._send(end)
                self._do_later()
                self._gather()
            except VaesearchError as error:
                self._fail(error)
                return
            except OSError as error:
                self._fail(StorageError(_sentence(self._address, error)))
                return
            except Exception as error:  # drivers raise all kinds; a dead thread tells nobody
                kind = type(error).__name__
                self._fail(StorageError(f"{self._address}: {kind}: {error}"))
                _log.debug("the mirror of the ledger failed", exc_info=True)
                return

    def _gather(self) -> None:
        """Let some lines come together, unless somebody waits for them."""
        until = time.monotonic() + self._limits.gather
        with self._news:
            while not (self._hurry or self._closing or self._is_far()):
                if (left := until - time.monotonic()) <= 0:
                    return
                self._news.wait(left)

    def _send(self, end: int) -> None:
        if self._is_lost():
            self.writer.append(b"")  # finds out, and says so
        if end > self.sent:
            with self._path.open("rb") as file:
                self.writer.append(self._bytes(file, self.sent, end))
                if self.writer.has_many_parts:
                    self.writer.write_whole(self._bytes(file, 0, end))
        with self._news:
            self.sent = end
            while self._waiting and self._waiting[0][0] <= end:
                self._waiting.popleft()
            self._news.notify_all()

    def _bytes(self, file: IO[bytes], start: int, end: int) -> bytes:
        file.seek(start)
        content = file.read(end - start)
        if len(content) < end - start:
            raise StorageError(f"{self._path} was made shorter by another program: resume.")
        return content

    def _do_later(self) -> None:
        while self._later and self._later[0][0] <= self.sent:
            try:
                self._later[0][1]()
            except VaesearchError as error:  # what is not deleted is in nobody's way
                _log.warning("%s", error)
            with self._news:
                self._later.popleft()
                self._news.notify_all()

    def _fail(self, error: VaesearchError) -> None:
        with self._news:
            self._failure = error
            self._news.notify_all()


def _sentence(address: str, error: OSError) -> str:
    what = error.strerror or str(error)
    if error.errno in FINAL:
        return f"cannot write the ledger at {address}: {what}."
    return f"{address} did not take the ledger for too long: {what}."
