"""The files of a run that MLflow is to have: pictures, models, results, measurements."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vaesearch.errors import VaesearchError
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.tracking import mixtures, trials
from vaesearch.tracking.evaluations import FOLDER, read_update
from vaesearch.tracking.registering import checkpoint_of
from vaesearch.tracking.updates import Point, RunUpdate

if TYPE_CHECKING:
    from vaesearch.tracking.mlflow_store import MlflowStore

_OF_MODELS = ("best/", "test/")

_log = logging.getLogger("vaesearch.tracking")


class Marks:
    """The latest figures of each arm that are those of its model."""

    def __init__(self) -> None:
        self._points: dict[str, dict[str, Point]] = {}

    def note(self, found: Iterable[RunUpdate]) -> None:
        """Take from updates what a model's page shows, too."""
        for update in found:
            if update.arm is not None and update.components is None:
                kept = {p.key: p for p in update.points if p.key.startswith(_OF_MODELS)}
                self._points.setdefault(update.arm, {}).update(kept)

    def of(self, arm: str) -> list[Point]:
        """The latest point of each key."""
        return list(self._points.get(arm, {}).values())


def send_artifacts(
    store: "MlflowStore", run_dir: RunDir, state: SearchState, marks: Marks
) -> None:
    """Everything there is at the end of a search."""
    shown = list(trials.with_files(state))
    for name in shown:
        send_pictures(store, run_dir, name)
    for path in sorted(run_dir.plots.glob("*.png")):
        store.log_file(None, path, "plots")
    for path in sorted(run_dir.front.glob("*.yaml")):
        store.log_file(None, path, "front")
    for path in (run_dir.results, run_dir.ranking, run_dir.best, run_dir.config, run_dir.ledger):
        if path.exists():
            store.log_file(None, path)
    for name in shown:  # last, since they are large
        send_model(store, run_dir, state, name, marks)


def send_pictures(store: "MlflowStore", run_dir: RunDir, arm: str) -> None:
    """The pictures of an arm."""
    for path in sorted(run_dir.arm(arm).glob("*.png")):
        store.log_file(arm, path, "images")


def send_evaluation(store: "MlflowStore", path: Path, state: SearchState) -> None:
    """A file of measurements; nothing if it is damaged."""
    try:
        update = read_update(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s is left out, it is damaged: %s", path, error)
        return
    if update.arm in state.arms:
        store.log(update)
        store.log_file(update.arm, path, FOLDER)


def send_mixtures(store: "MlflowStore", path: Path, state: SearchState) -> str | None:
    """A file of mixtures; whose they are, if that arm is known."""
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


def send_model(
    store: "MlflowStore", run_dir: RunDir, state: SearchState, arm: str, marks: Marks
) -> str | None:
    """The model of an arm; its id, or None where there is none."""
    from vaesearch.pull import load_model

    path = run_dir.arm(arm) / "model.pt"
    if not path.exists():
        return None
    try:
        network = load_model(path)
    except VaesearchError as error:  # trying again would not help, and the rest can be sent
        _log.warning("%s is left out: %s", path, error)
        return None
    from vaesearch.tracking.mlflow_models import log_model

    best = state.arms[arm].best
    epoch = best.epoch if best else 0
    return log_model(store, arm, network, epoch, checkpoint_of(state, arm), marks.of(arm))
