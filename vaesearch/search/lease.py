"""Who works on a run in an object store, where no lock dies with its process.

The holder writes a new number into its file every few seconds. Whoever wants the run looks at the
file until it changes, or has not changed for long: machines' clocks need not agree. Should a
holder be taken for dead and come back, the ledger's numbered parts stop it
(:mod:`vaesearch.search.segments`), and its own next look at the leases does.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from vaesearch.errors import RunDirError, StorageError
from vaesearch.storage import Folder
from vaesearch.storage.probe import machine

FOLDER = "lease"
BEAT_SECONDS = 8.0
DEAD_SECONDS = 30.0  # without a beat
LOOK_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Card:
    """What the holder writes: who it is, and that it lives."""

    token: str
    holder: str
    beat: int
    time: float
    released: bool = False


class Lease:
    """The right to work on a run, from :meth:`acquire` until :meth:`release` or death.

    Args:
        folder: of the run.
        token: a word that no other process has.
        pause, clock: as of :mod:`time`, replaced in tests.
    """

    def __init__(
        self,
        folder: Folder,
        token: str,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._pause, self._clock = folder, pause, clock
        self._card = Card(token, f"process {os.getpid()} on {machine()}", 0, time.time())
        self._number = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.lost = False

    def acquire(self, dead: str | None = None) -> None:
        """Become the holder.

        Args:
            dead: the token of a process that is known to have ended.

        Raises:
            RunDirError: another process holds it.
            StorageError: the storage lets two processes make the same file.
            OSError: the storage does not answer, or cannot be written.
        """
        self._number = self._latest()
        if self._number:
            self._await_end(_name(self._number), dead)
        try:
            self._folder.create(_name(self._number + 1), self._content())
        except FileExistsError as error:
            raise RunDirError(
                f"{self._folder.address} was taken by another process just now; wait for it "
                "or stop it."
            ) from error
        self._number += 1
        self._check_conditions()
        self._thread = threading.Thread(target=self._beat_on, daemon=True, name="lease")
        self._thread.start()

    def await_free(self, dead: str | None = None) -> None:
        """Wait until nobody holds the run, and leave it so.

        Args:
            dead: as of :meth:`acquire`.

        Raises:
            RunDirError: another process holds it.
            OSError: the storage does not answer.
        """
        if number := self._latest():
            self._await_end(_name(number), dead)

    def beat(self) -> None:
        """Show that this process lives, and see whether another has taken its place."""
        self._card = replace(self._card, beat=self._card.beat + 1, time=time.time())
        self._folder.write(_name(self._number), self._content())
        self.lost = self.lost or self._latest() > self._number

    def check(self) -> None:
        """Make sure that no other process has taken the run over.

        Raises:
            RunDirError: one has.
        """
        if self.lost:
            raise RunDirError(f"{self._folder.address} is in use by another process.")

    def release(self) -> None:
        """Let others have it; no error where they cannot be told, for they find out."""
        self.rest()
        self._card = replace(self._card, released=True)
        with suppress(OSError):
            self._folder.write(_name(self._number), self._content())

    def rest(self) -> None:
        """Beat no more, so that nothing writes the file again; it stays one's own for a while."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(DEAD_SECONDS)

    def _beat_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self.beat()
            except Exception as error:  # whether to give up is for those who write the ledger
                _log.debug("no beat: %s: %s", type(error).__name__, error)

    def _check_conditions(self) -> None:
        """Make sure that a file can really not be made twice; all else relies on it."""
        try:
            self._folder.create(_name(self._number), self._content() + b" ")
        except FileExistsError:
            return
        self._folder.remove(_name(self._number))
        raise StorageError(
            f"{self._folder.address} ignores conditional requests, so nothing would keep two "
            "searches apart: use another storage."
        )

    def _await_end(self, name: str, dead: str | None) -> None:
        """Wait until the holder is known to be gone.

        Raises:
            RunDirError: it lives.
        """
        first = card = self._read(name)
        since = self._clock()
        while True:
            if card.released or card.token == dead:
                return
            if card.beat != first.beat:
                raise RunDirError(
                    f"{self._folder.address} is in use by {card.holder}; wait for it or stop it."
                )
            if self._clock() - since > DEAD_SECONDS:
                return
            if card is first:
                _log.warning(
                    "%s may be in use by %s: looking for a sign of life, %.0f s at most",
                    self._folder.address, card.holder, DEAD_SECONDS,
                )  # fmt: skip
            self._pause(LOOK_SECONDS)
            card = self._read(name)

    def _read(self, name: str) -> Card:
        try:
            return Card(**json.loads(self._folder.read(name)))
        except FileNotFoundError:  # the holder only had a look, and took its traces with it
            return Card("", "nobody", 0, 0.0, released=True)
        except (ValueError, TypeError):
            return Card("", "an unknown process", 0, 0.0)

    def _latest(self) -> int:
        names = self._folder.names(FOLDER)
        stems = (n.removeprefix(f"{FOLDER}/").removesuffix(".json") for n in names)
        return max((int(stem) for stem in stems if stem.isdecimal()), default=0)

    def _content(self) -> bytes:
        return json.dumps(asdict(self._card)).encode()


def _name(number: int) -> str:
    return f"{FOLDER}/{number:06d}.json"
