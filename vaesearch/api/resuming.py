"""An interrupted search, taken up again."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import vaesearch
from vaesearch import catalogue
from vaesearch.api.arms import arms_added
from vaesearch.api.refusing import difference, refuse_shared
from vaesearch.api.running import Note, budget_of, drive
from vaesearch.api.sources import make_source
from vaesearch.api.storing import check_storage, mirror_of, named
from vaesearch.api.writing import config_text
from vaesearch.bandits.core import Budget
from vaesearch.config import (
    EPOCHS_PER_TRIAL,
    MAY_CHANGE,
    STORED,
    TUNING_MAY_CHANGE,
    Config,
    TuneConfig,
    absolute_database,
    config_class,
)
from vaesearch.data import load_data
from vaesearch.errors import InputError, RunDirError
from vaesearch.events import SearchResumed, SearchStarted
from vaesearch.report.artifacts import write_text
from vaesearch.search.arms import ArmSource
from vaesearch.search.controller import Observer
from vaesearch.search.ledger import read_ledger
from vaesearch.search.opening import open_run
from vaesearch.search.state import SearchState, fold
from vaesearch.space import Space


def resume(
    path: str | Path,
    *,
    changes: dict[str, Any] | None = None,
    source: ArmSource | None = None,
    observers: Sequence[Observer] = (),
    note: Note = lambda text: None,
) -> SearchState:
    """Go on with the search in ``path`` where its ledger ends.

    Args:
        path: a run directory, or its URL.
        changes: options to differ from here on; only those of ``MAY_CHANGE``, such as a larger
            budget.
        source: of arms that join from here on.
        observers: called after every event of the search.
        note: as for :func:`run_bandit`.

    Raises:
        RunDirError: not a run directory, in use, damaged, or its data have changed.
        InputError: a change that would make it another search.
        StorageError: the disk is full or read-only.
    """
    run_dir = open_run(path)
    refuse_shared(run_dir)
    events = read_ledger(run_dir.ledger)
    if not events or not isinstance(events[0], SearchStarted):
        raise RunDirError(f"{path} holds no search yet: run `vaesearch bandit --run-dir {path}`.")
    before = fold(events, Budget())
    config = named(changed_options(before.config, changes or {}), before.search_id)
    catalogue.build("policies", config.policy)
    if before.finished and not changes:
        return fold(events, budget_of(config))
    data = load_data(config)
    if data.fingerprint != before.data["fingerprint"]:
        raise RunDirError(
            f"the images of {config.dataset} are not those that {path} was started with; "
            "bring them back, or start a new search."
        )
    moved = bool(set(STORED) & set(changes or {}))
    if moved:  # else the search can do without its storage for now
        check_storage(config, run_dir)
    run_dir.lock()
    try:
        mirror = mirror_of(config, run_dir, before, claimed=not moved)
        missing = [a for a in arms_added(config, data) if a.arm not in before.arms]
        write_text(run_dir.config, config_text(config))
        run_dir.put()
        resumed = SearchResumed(vaesearch.__version__, difference(before.config, config))
        space = Space.from_dict(before.space) if before.space else None
        source = source or make_source(config, space, data, events, note)
        opening = [resumed, *missing]
        return drive(run_dir, config, data, opening, source, observers, note, mirror)
    finally:
        run_dir.unlock()


def changed_options(before: dict[str, Any], changes: dict[str, Any]) -> Config:
    """The configuration to go on with; InputError for a change that it does not bear."""
    cls = config_class(before)
    allowed = TUNING_MAY_CHANGE if cls is TuneConfig else MAY_CHANGE
    forbidden = [name for name in changes if name not in allowed]
    if forbidden:
        raise InputError(
            f"{', '.join(forbidden)} cannot change in the middle of a search; "
            f"what can: {', '.join(allowed)}."
        )
    known = {f.name for f in fields(cls)}
    config = cls.from_dict({k: v for k, v in before.items() if k in known} | changes)
    if isinstance(config, TuneConfig):
        return _tuning_resolved(config, before, changes)
    return config


def _tuning_resolved(
    config: TuneConfig, before: dict[str, Any], changes: dict[str, Any]
) -> TuneConfig:
    """More trials bring their epochs, where the epochs were not asked for; paths are absolute."""
    epochs = config.epochs
    was_default = before["epochs"] == EPOCHS_PER_TRIAL * before["trials"]
    if "trials" in changes and was_default and not {"epochs", "seconds"} & set(changes):
        epochs = EPOCHS_PER_TRIAL * (config.trials or 0)
    return replace(config, epochs=epochs, storage=absolute_database(config.storage))
