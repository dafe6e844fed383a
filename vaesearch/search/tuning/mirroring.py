"""Shows a search in an Optuna storage while it runs, in a thread that it never waits for.

The search only puts its events into a queue. The thread writes what they change; if the storage
does not answer, it tries again later, from what the storage then has to what the search then is.
So nothing need be remembered of what failed, and a restart takes the same path.
"""

import shlex
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from vaesearch.errors import InputError
from vaesearch.events import ArmFailed, Event, SearchFinished, SearchResumed
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.addresses import Address
from vaesearch.search.tuning.mirror import Times, Wanted
from vaesearch.search.tuning.storage import explain, opened
from vaesearch.search.tuning.study import StudyKey
from vaesearch.search.tuning.writing import StudyWriter
from vaesearch.space import Space

PAUSE = 0.5  # seconds between two writings, for what happens meanwhile to go together
LONGEST_WAIT = 30.0  # seconds between two attempts at a storage that does not answer


class StudyMirror:
    """Writes the study of one search.

    Args:
        address: of the storage.
        key: of the study.
        space: that is searched.
        run_dir: of the search, for messages.
    """

    def __init__(self, address: Address, key: StudyKey, space: Space, run_dir: str | Path) -> None:
        self._address = address
        self._key = key
        self._space = space
        self._run_dir = run_dir
        self._queue: SimpleQueue[tuple[Event, SearchState] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._state = SearchState()
        self._times = Times()
        self._touched: set[int] = set()
        self._everything = False
        self._half_told = False
        self._error = ""

    def start(self, events: Sequence[Event], state: SearchState) -> None:
        """Begin, with what the ledger has so far and its state; returns at once."""
        self._state = state
        for event in events:
            self._times.note(event)
        self._thread = threading.Thread(target=self._work, name="study-mirror", daemon=True)
        self._thread.start()

    def observe(self, event: Event, state: SearchState) -> None:
        """Take note of an event; returns at once."""
        self._queue.put((event, state))

    def close(self, timeout: float) -> str | None:
        """Write the rest, for ``timeout`` seconds at most.

        Returns:
            None if the study is complete, else what is missing and how to send it.
        """
        if self._thread is None:
            return None
        self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._error = self._error or "still being written"
        if not self._error:
            return None
        return (
            f"Study {self._key.name} at {self._address.shown} does not have all of this search "
            f"yet: {self._error.rstrip('.')}.\n"
            f"Nothing is lost; `vaesearch sync {shlex.quote(str(self._run_dir))}` sends the rest."
        )

    def _work(self) -> None:
        over, wait = False, 0.0
        while True:
            last = over
            try:
                with opened(self._address) as storage:
                    writer = StudyWriter(storage, self._key)
                    self._write(writer, all_of_it=True)
                    self._error, wait = "", 0.0
                    while not over:
                        over = self._gather()
                        self._write(writer, all_of_it=False)
                return
            except InputError as error:  # it will not go away by trying again
                self._error = str(error)
                return
            except Exception as error:  # whatever drivers and the network come up with
                self._error = explain(error, self._address)
                if last:
                    return
                wait = min(LONGEST_WAIT, max(1.0, 2 * wait))
                over = over or self._take_until(time.monotonic() + wait)

    def _write(self, writer: StudyWriter, *, all_of_it: bool) -> None:
        if self._state.search_id:
            wanted = Wanted(self._space, self._state, self._times)
            numbers = None if all_of_it or self._everything else self._touched
            writer.write(wanted, self._state.trials, numbers)
        self._touched, self._everything = set(), False

    def _gather(self) -> bool:
        """Wait for the next event, and for more right behind it; whether it is over."""
        over = self._take(self._queue.get())
        over = over or self._take_until(time.monotonic() + PAUSE)
        while not over and self._half_told:
            over = self._take(self._queue.get())
        return over

    def _take_until(self, deadline: float) -> bool:
        """Take in what comes until then; whether it is over."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                item = self._queue.get(timeout=left)
            except Empty:
                return False
            if self._take(item):
                return True
        return False

    def _take(self, item: tuple[Event, SearchState] | None) -> bool:
        if item is None:
            return True
        event, self._state = item
        number = self._times.note(event)
        if number is not None:
            self._touched.add(number)
        self._everything |= isinstance(event, SearchFinished | SearchResumed)
        # The epochs before an arm diverged are told right after that it did, and Optuna would not
        # take them then.
        self._half_told = isinstance(event, ArmFailed)
        return False
