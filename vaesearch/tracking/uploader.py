"""The uploader process: mirrors the ledger of a run into MLflow, at its own pace.

::

    python -m vaesearch.tracking.uploader RUN_DIR URI EXPERIMENT [--drain]

It follows the ledger until its standard input is closed, which also happens when the search dies
in any way; then it sends what is left, and artifacts, and ends. ``--drain`` does only the latter.
Exit status 0: MLflow has everything; 1: something waits, and ``tracking.json`` says why.
"""

import argparse
import logging
import os
import re
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vaesearch.errors import VaesearchError
from vaesearch.events import Event, SearchStarted
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, advance
from vaesearch.tracking import mixtures, trials, updates
from vaesearch.tracking.cursor import exclusive, load_cursor, lock_path, save_cursor
from vaesearch.tracking.evaluations import FOLDER, evaluation_files, read_update
from vaesearch.tracking.tail import LedgerTail

if TYPE_CHECKING:
    from vaesearch.tracking.mlflow_store import MlflowStore

POLL = 0.5  # seconds between two looks at the ledger
LONGEST_WAIT = 30.0  # seconds between two attempts at a store that does not answer
BATCH = 500  # events between two savings of the cursor

_log = logging.getLogger("vaesearch.tracking")


class Upload:
    """One attempt: from what is on disk to what MLflow has, until something goes wrong.

    Nothing survives in memory from one attempt to the next, so recovering from an error takes the
    same path as a restart after ``kill -9``.
    """

    def __init__(self, run_dir: RunDir, uri: str, experiment: str) -> None:
        self.run_dir = run_dir
        self.cursor = load_cursor(run_dir, uri, experiment)
        self._uri = uri
        self._tail = LedgerTail(run_dir.ledger)
        self._state = SearchState()
        self._last: Event | None = None
        self._store: MlflowStore | None = None

    def send_new(self) -> None:
        """Send what the ledger has and MLflow has not."""
        while events := self._tail.read():
            if self._store is None:
                self._store = self._connect(events[0])
            for start in range(0, len(events), BATCH):
                self._send(events[start : start + BATCH])

    def send_evaluations(self) -> None:
        """Send the measurements and mixtures that were made since the last time."""
        if self._store is None:
            return
        for path, stamp in evaluation_files(self.run_dir).items():
            if self.cursor.evaluations.get(path.name) != stamp:
                _send_evaluation(self._store, path, self._state)
                self._note_sent(path.name, stamp)
        for path, stamp in mixtures.mixture_files(self.run_dir).items():
            name = mixtures.key_of(path)
            if self.cursor.evaluations.get(name) != stamp:
                arm = _send_mixtures(self._store, path, self._state)
                if arm and self.cursor.complete:  # what was sent at the end has changed
                    _send_pictures(self._store, self.run_dir, arm)
                    _send_model(self._store, self.run_dir, self._state, arm)
                self._note_sent(name, stamp)

    def _note_sent(self, name: str, stamp: str) -> None:
        sent = self.cursor.evaluations | {name: stamp}
        self.cursor = replace(self.cursor, evaluations=sent, error="")
        save_cursor(self.run_dir, self.cursor)

    def finish(self) -> None:
        """Send final states and artifacts, once; to be called when the search is over."""
        if self._store is None or self._last is None or self.cursor.complete:
            return
        if self._state.finished is None:
            for update in updates.interrupted(self._state, self._last):
                self._store.log(update)
        _send_artifacts(self._store, self.run_dir, self._state)
        self._save(complete=True)

    def _connect(self, first: Event) -> "MlflowStore":
        # Here and not at the top: MLflow is the slow and fragile part of this process.
        from vaesearch.tracking.mlflow_store import MlflowStore

        runs = self.run_dir.path.absolute().parent
        store = MlflowStore(self._uri, self.cursor.experiment, runs / "mlartifacts")
        search_id = first.search_id if isinstance(first, SearchStarted) else ""
        if not store.open_search(search_id, self.run_dir.path.absolute().name):
            # Never sent, or deleted in MLflow since: all of it is needed.
            self.cursor = replace(self.cursor, sent=0, complete=False, evaluations={})
        return store

    def _send(self, events: list[Event]) -> None:
        found: list[updates.RunUpdate] = []
        for event in events:
            self._state = advance(self._state, event)
            if event.seq >= self.cursor.sent:
                found += updates.updates_for(event, self._state)
        self._last = events[-1]
        if self._store is not None:
            for update in updates.merge(found):
                self._store.log(update)
        if self._last.seq >= self.cursor.sent:
            self._save(sent=self._last.seq + 1, complete=False)

    def _save(self, *, complete: bool, sent: int | None = None) -> None:
        sent = self.cursor.sent if sent is None else sent
        self.cursor = replace(self.cursor, sent=sent, complete=complete, error="")
        save_cursor(self.run_dir, self.cursor)


def _send_artifacts(store: "MlflowStore", run_dir: RunDir, state: SearchState) -> None:
    shown = list(trials.with_files(state))
    for name in shown:
        _send_pictures(store, run_dir, name)
    for path in sorted(run_dir.plots.glob("*.png")):
        store.log_file(None, path, "plots")
    for path in sorted(run_dir.front.glob("*.yaml")):
        store.log_file(None, path, "front")
    for path in (run_dir.results, run_dir.ranking, run_dir.best, run_dir.config, run_dir.ledger):
        if path.exists():
            store.log_file(None, path)
    for name in shown:  # last, since they are large
        _send_model(store, run_dir, state, name)


def _send_pictures(store: "MlflowStore", run_dir: RunDir, arm: str) -> None:
    for path in sorted(run_dir.arm(arm).glob("*.png")):
        store.log_file(arm, path, "images")


def _send_evaluation(store: "MlflowStore", path: Path, state: SearchState) -> None:
    try:
        update = read_update(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s is left out, it is damaged: %s", path, error)
        return
    if update.arm in state.arms:
        store.log(update)
        store.log_file(update.arm, path, FOLDER)


def _send_mixtures(store: "MlflowStore", path: Path, state: SearchState) -> str | None:
    """Whose mixtures they are, if that arm is known."""
    try:
        found = mixtures.read_updates(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s is left out, it is damaged: %s", path, error)
        return None
    arm = found[0].arm if found else None
    if arm not in state.arms:
        return None
    for update in found:
        store.log(update)
    store.log_file(arm, path, mixtures.FOLDER)
    return arm


def _send_model(store: "MlflowStore", run_dir: RunDir, state: SearchState, arm: str) -> None:
    from vaesearch.pull import load_model

    path, best = run_dir.arm(arm) / "model.pt", state.arms[arm].best
    if not path.exists():
        return
    try:
        network = load_model(path)
    except VaesearchError as error:  # trying again would not help, and the rest can be sent
        _log.warning("%s is left out: %s", path, error)
        return
    store.log_model(arm, network, best.epoch if best else 0)


def follow(run_dir: RunDir, uri: str, experiment: str, ended: Callable[[float], bool]) -> bool:
    """Upload until the search is over; whether MLflow has everything.

    Args:
        run_dir: the run.
        uri: MLflow store.
        experiment: its experiment.
        ended: waits for as many seconds, or until the search is over, and says whether it is.
    """
    upload: Upload | None = None
    wait, said = 0.0, set()
    while True:
        over = ended(wait)
        try:
            upload = upload or Upload(run_dir, uri, experiment)
            upload.send_new()
            upload.send_evaluations()
            if over:
                upload.finish()
                return True
            wait = POLL
        except Exception as error:  # whatever MLflow, its drivers or the network come up with
            reason = explain(error)
            if reason not in said:
                _log.error("not sent: %s", reason)
                said.add(reason)
            _save_error(run_dir, uri, experiment, reason)
            if over:
                return False
            upload, wait = None, min(LONGEST_WAIT, max(1.0, 2 * wait))


def explain(error: BaseException) -> str:
    """One line for a person: the first cause, which says more than what came of it.

    Our own errors say it all already.
    """
    while not isinstance(error, VaesearchError):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            break
        error = cause
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"<[^<>]* at 0x[0-9a-f]+>:? ?", "", text)[:300]


def _save_error(run_dir: RunDir, uri: str, experiment: str, reason: str) -> None:
    with suppress(OSError):  # a full disk: the log line is all we can do
        cursor = load_cursor(run_dir, uri, experiment)
        save_cursor(run_dir, replace(cursor, error=reason))


def _stdin_closed(timeout: float) -> bool:
    """Wait for the other end of standard input to go away, for ``timeout`` seconds at most."""
    ready, _, _ = select.select([sys.stdin], [], [], timeout)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def main(arguments: list[str] | None = None) -> int:
    """Run the uploader; returns its exit status."""
    parser = argparse.ArgumentParser(description="Mirror the ledger of a run into MLflow.")
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("uri")
    parser.add_argument("experiment")
    parser.add_argument("--drain", action="store_true", help="send what is there and end")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it reports every attempt
    os.nice(10)  # training comes first
    run_dir = RunDir(given.run_dir)
    ended = (lambda _: True) if given.drain else _stdin_closed
    with exclusive(lock_path(run_dir)):
        return 0 if follow(run_dir, given.uri, given.experiment, ended) else 1


if __name__ == "__main__":
    sys.exit(main())
