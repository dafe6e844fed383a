"""One attempt at mirroring a run: from what is on disk to what MLflow has."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vaesearch.events import Event, SearchStarted
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, advance
from vaesearch.tracking import files, mixtures, registering, standing, updates
from vaesearch.tracking.cursor import load_cursor, save_cursor
from vaesearch.tracking.evaluations import evaluation_files
from vaesearch.tracking.tail import LedgerTail
from vaesearch.tracking.updates import RunUpdate

if TYPE_CHECKING:
    from vaesearch.tracking.mlflow_store import MlflowStore

BATCH = 500  # events between two savings of the cursor

_log = logging.getLogger("vaesearch.tracking")


class Upload:
    """One attempt, until something goes wrong.

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
        self._ranks: dict[str, str] = {}
        self._marks = files.Marks()

    def send_new(self) -> None:
        """Send what the ledger has and MLflow has not."""
        while events := self._tail.read():
            if self._store is None:
                self._store = self._connect(events[0])
            for start in range(0, len(events), BATCH):
                self._send(self._store, events[start : start + BATCH])

    def send_evaluations(self) -> None:
        """Send the measurements and mixtures that were made since the last time."""
        if self._store is None:
            return
        for path, stamp in evaluation_files(self.run_dir).items():
            if self.cursor.evaluations.get(path.name) != stamp:
                files.send_evaluation(self._store, path, self._state)
                self._note_sent(path.name, stamp)
        for path, stamp in mixtures.mixture_files(self.run_dir).items():
            name = mixtures.key_of(path)
            if self.cursor.evaluations.get(name) != stamp:
                arm = files.send_mixtures(self._store, path, self._state)
                if arm and self.cursor.complete:  # what was sent at the end has changed
                    files.send_pictures(self._store, self.run_dir, arm)
                    files.send_model(self._store, self.run_dir, self._state, arm, self._marks)
                self._note_sent(name, stamp)

    def finish(self, register: str | None = None) -> None:
        """Send final states and artifacts, once; to be called when the search is over.

        Args:
            register: the registered model that the best one is to be a version of, beside what
                the search was told.
        """
        if self._store is None or self._last is None:
            return
        if not self.cursor.complete:
            if self._state.finished is None:
                self._log(self._store, updates.interrupted(self._state, self._last))
            self._send_ranks(self._store, standing.ranks(self._state))
            files.send_artifacts(self._store, self.run_dir, self._state, self._marks)
        if name := register or self._state.config.get("register"):
            self._register(self._store, str(name))
        self._save(complete=True)

    def _register(self, store: "MlflowStore", name: str) -> None:
        candidate = registering.candidate_of(self._state)
        sent = f"registered/{name}"
        if candidate is None or self.cursor.evaluations.get(sent) == candidate.checkpoint:
            return
        model = files.send_model(store, self.run_dir, self._state, candidate.arm, self._marks)
        if model is None:
            _log.warning("nothing is registered as %s: the best arm has no model.", name)
            return
        from vaesearch.tracking.mlflow_models import register

        register(store, name, candidate, model)
        self._note_sent(sent, candidate.checkpoint)

    def _note_sent(self, name: str, stamp: str) -> None:
        sent = self.cursor.evaluations | {name: stamp}
        self.cursor = replace(self.cursor, evaluations=sent, error="")
        save_cursor(self.run_dir, self.cursor)

    def _connect(self, first: Event) -> "MlflowStore":
        # Here and not at the top: MLflow is the slow and fragile part of this process.
        from vaesearch.tracking.mlflow_store import MlflowStore

        runs = self.run_dir.path.absolute().parent
        store = MlflowStore(self._uri, self.cursor.experiment, runs / "mlartifacts")
        search_id = first.search_id if isinstance(first, SearchStarted) else ""
        if not store.open_search(search_id, self.run_dir.path.absolute().name):
            # Never sent, or deleted in MLflow since: all of it is needed.
            self.cursor = replace(self.cursor, sent=0, complete=False, evaluations={})
        self._ranks = {
            arm: tags[standing.RANK] for arm, tags in store.tags.items() if standing.RANK in tags
        }
        return store

    def _send(self, store: "MlflowStore", events: list[Event]) -> None:
        found: list[RunUpdate] = []
        for event in events:
            self._state = advance(self._state, event)
            told = updates.updates_for(event, self._state)
            self._marks.note(told)
            if event.seq >= self.cursor.sent:
                found += told
        self._last = events[-1]
        if found:
            self._log(store, found)
        if self._last.seq >= self.cursor.sent:
            self._save(sent=self._last.seq + 1, complete=False)

    def _log(self, store: "MlflowStore", found: Sequence[RunUpdate]) -> None:
        """The arms first, since the description of the search has links to their runs."""
        merged = updates.merge(found)
        parent = next((update for update in merged if update.arm is None), None)
        arms = {update.arm: update for update in merged if update.arm is not None}
        if parent is not None:
            store.run(None, parent.start_ms)
        after = standing.ranks(self._state)
        for arm, update in arms.items():
            store.log(replace(update, tags=update.tags | {standing.RANK: after[arm]}))
        self._ranks |= {arm: after[arm] for arm in arms}
        self._send_ranks(store, standing.moved(self._ranks, after))
        if parent is not None:
            pages = store.pages(self._state.ranking)
            described = {standing.NOTE: standing.note(self._state, pages)}
            store.log(replace(parent, tags=parent.tags | described))

    def _send_ranks(self, store: "MlflowStore", after: dict[str, str]) -> None:
        for arm, rank in after.items():
            if self._ranks.get(arm) != rank:
                store.log(RunUpdate(arm, tags={standing.RANK: rank}))
                self._ranks[arm] = rank

    def _save(self, *, complete: bool, sent: int | None = None) -> None:
        sent = self.cursor.sent if sent is None else sent
        self.cursor = replace(self.cursor, sent=sent, complete=complete, error="")
        save_cursor(self.run_dir, self.cursor)
