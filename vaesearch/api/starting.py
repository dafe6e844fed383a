"""A new search."""

import uuid
from collections.abc import Sequence
from pathlib import Path

import vaesearch
from vaesearch import catalogue
from vaesearch.api.arms import arms_added
from vaesearch.api.building import check_buildable
from vaesearch.api.refusing import changes_here, refuse_used
from vaesearch.api.resuming import resume
from vaesearch.api.running import Note, drive
from vaesearch.api.sources import make_source, settled
from vaesearch.api.storing import check_storage, claim_study, named
from vaesearch.api.writing import config_text, plain
from vaesearch.config import Config, TuneConfig
from vaesearch.data import load_data
from vaesearch.errors import InputError
from vaesearch.events import SearchStarted
from vaesearch.report.artifacts import write_text
from vaesearch.search.arms import ArmSource
from vaesearch.search.controller import Observer
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.objectives import check_objectives
from vaesearch.space import Space, space_of
from vaesearch.tracking.core import make_tracker
from vaesearch.tracking.uris import uri_of_environment


def run_bandit(
    config: Config,
    path: str | Path,
    *,
    source: ArmSource | None = None,
    or_resume: bool = False,
    observers: Sequence[Observer] = (),
    note: Note = lambda text: None,
) -> SearchState:
    """Search for the best arm of ``config`` and leave everything in the run directory ``path``.

    Args:
        config: the options.
        path: a new or empty directory, or a URL such as ``s3://bucket/runs/first``.
        source: of arms that join during the search, beside those of ``config``.
        or_resume: go on where ``path`` holds this very search already.
        observers: called after every event of the search.
        note: told, in a line or two each, what switching between arms cost and what tracking
            could not send.

    Returns:
        The finished search; ``results.json`` holds the same.

    Raises:
        InputError: something in ``config`` cannot be used; nothing was trained.
        RunDirError: ``path`` holds a search already, or another one.
        StorageError: the disk is full or read-only; free some space, then :func:`resume`.
    """
    if config.shared_encoder:
        raise InputError("a shared encoder is no search: vaesearch.baselines.run_shared_encoder.")
    return _start(config, path, None, source, or_resume, observers, note)


def run_search(
    config: TuneConfig,
    path: str | Path,
    *,
    or_resume: bool = False,
    observers: Sequence[Observer] = (),
    note: Note = lambda text: None,
) -> SearchState:
    """Search decoders and hyperparameters together, and leave everything in ``path``.

    Args:
        config: the options; with one decoder its hyperparameters are tuned, with several each
            decoder is judged by what it can reach when tuned.
        path: a new or empty directory, or a URL such as ``s3://bucket/runs/first``.
        or_resume: go on where ``path`` holds this very search already.
        observers: called after every event of the search.
        note: as for :func:`run_bandit`.

    Returns:
        The finished search; ``results.json`` holds the same.

    Raises:
        InputError: something in ``config`` or in its space cannot be used; nothing was trained.
        RunDirError: ``path`` holds a search already, or another one.
        StorageError: the disk is full or read-only; free some space, then :func:`resume`.
    """
    space = space_of(config)
    check_objectives(config, space)
    return _start(config, path, space, None, or_resume, observers, note)


def _start(
    config: Config,
    path: str | Path,
    space: Space | None,
    source: ArmSource | None,
    or_resume: bool,
    observers: Sequence[Observer],
    note: Note,
) -> SearchState:
    run_dir = RunDir(path)
    # All that can be refused is refused before the first file is written.
    catalogue.build("policies", config.policy)
    # Kept in the ledger: who resumes it may not have the variable.
    config = config.changed(tracking_uri=config.tracking_uri or uri_of_environment())
    make_tracker(run_dir, config.tracking_uri, config.experiment)
    data = load_data(config)
    config = config.resolved(images=len(data.train), channels=data.shape[0])
    check_buildable(space, config, data)
    config = settled(config, space, note)
    if or_resume and (changes := changes_here(run_dir, config)) is not None:
        return resume(path, changes=changes, source=source, observers=observers, note=note)
    arms = arms_added(config, data)
    source = source or make_source(config, space, data, note=note)
    search_id = uuid.uuid4().hex
    config = named(config, search_id)
    check_storage(config, run_dir)
    made = run_dir.home is not None or not run_dir.path.exists()
    run_dir.create()
    run_dir.lock()
    try:
        refuse_used(run_dir, config)
        mirror = claim_study(config, run_dir, search_id, space)
        write_text(run_dir.config, config_text(config))
        run_dir.put()
        started = SearchStarted(
            search_id,
            vaesearch.__version__,
            plain(config),
            data.describe(),
            space.to_dict() if space else None,
        )
        opening = [started, *arms]
        return drive(run_dir, config, data, opening, source, observers, note, mirror)
    except InputError:
        if made:
            run_dir.discard()
        raise
    finally:
        run_dir.unlock()
