"""The composition root: a configuration becomes a run directory with a ranking and models in it.

For example ``run_bandit(Config(dataset="digits", backend="local"), Path("runs/first"))``.
"""

import shlex
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import yaml

import vaesearch
from vaesearch import catalogue
from vaesearch.bandits.core import Budget, leader
from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import MAY_CHANGE, PLACES, Config, load_yaml
from vaesearch.data import ImageData, load_data
from vaesearch.errors import InputError, RunDirError, VaesearchError
from vaesearch.events import ArmAdded, SearchFinished, SearchResumed, SearchStarted
from vaesearch.models.checks import check_model
from vaesearch.models.cost import step_flops
from vaesearch.objectives import Loss
from vaesearch.report.artifacts import keep_appraisal, write_results, write_text
from vaesearch.report.machine import hardware, software
from vaesearch.search.appraisal import appraise
from vaesearch.search.arms import ArmSource
from vaesearch.search.backends.making import make_backend
from vaesearch.search.controller import Controller, Observer
from vaesearch.search.ledger import Ledger, read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, advance, elapsed_seconds, fold
from vaesearch.search.stopping import stop_rule
from vaesearch.search.switching import switching_note
from vaesearch.specs import folder_name
from vaesearch.tracking.core import Tracker, make_tracker

TRACKING_SECONDS = 30.0

Note = Callable[[str], None]


def run_bandit(
    config: Config,
    path: Path,
    *,
    source: ArmSource | None = None,
    observers: Sequence[Observer] = (),
    note: Note = lambda text: None,
) -> SearchState:
    """Search for the best arm of ``config`` and leave everything in the run directory ``path``.

    Args:
        config: the options.
        path: a new or empty directory.
        source: of arms that join during the search, beside those of ``config``.
        observers: called after every event of the search.
        note: told, in a line or two each, what switching between arms cost and what tracking
            could not send.

    Returns:
        The finished search; ``results.json`` holds the same.

    Raises:
        InputError: something in ``config`` cannot be used; nothing was trained.
        RunDirError: ``path`` holds a search already.
        StorageError: the disk is full or read-only; free some space, then :func:`resume`.
    """
    if config.shared_encoder:
        raise InputError("a shared encoder is no search: vaesearch.baselines.run_shared_encoder.")
    run_dir = RunDir(path)
    # All that can be refused is refused before the first file is written.
    catalogue.build("policies", config.policy)
    make_tracker(run_dir, config.tracking_uri, config.experiment)
    data = load_data(config)
    config = config.resolved(images=len(data.train), channels=data.shape[0])
    arms = _arms_added(config, data)
    run_dir.create()
    run_dir.lock()
    try:
        _refuse_used(run_dir, config)
        write_text(run_dir.config, config_text(config))
        started = SearchStarted(
            uuid.uuid4().hex, vaesearch.__version__, config.to_dict(), data.describe()
        )
        return _drive(run_dir, config, data, [started, *arms], source, observers, note)
    finally:
        run_dir.unlock()


def resume(
    path: Path,
    *,
    changes: dict[str, Any] | None = None,
    source: ArmSource | None = None,
    observers: Sequence[Observer] = (),
    note: Note = lambda text: None,
) -> SearchState:
    """Go on with the search in ``path`` where its ledger ends.

    Args:
        path: a run directory.
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
    run_dir = RunDir(path)
    _refuse_shared(run_dir)
    events = read_ledger(run_dir.ledger)
    if not events or not isinstance(events[0], SearchStarted):
        raise RunDirError(f"{path} holds no search yet: run `vaesearch bandit --run-dir {path}`.")
    before = fold(events, Budget())
    config = _changed(before.config, changes or {})
    catalogue.build("policies", config.policy)
    if before.finished and not changes:
        return fold(events, _budget(config))
    data = load_data(config)
    if data.fingerprint != before.data["fingerprint"]:
        raise RunDirError(
            f"the images of {config.dataset} are not those that {path} was started with; "
            "bring them back, or start a new search."
        )
    run_dir.lock()
    try:
        missing = [a for a in _arms_added(config, data) if a.arm not in before.arms]
        write_text(run_dir.config, config_text(config))
        resumed = SearchResumed(vaesearch.__version__, _difference(before.config, config))
        return _drive(run_dir, config, data, [resumed, *missing], source, observers, note)
    finally:
        run_dir.unlock()


def _drive(
    run_dir: RunDir,
    config: Config,
    data: ImageData,
    opening: Sequence[Any],
    source: ArmSource | None,
    observers: Sequence[Observer],
    note: Note,
) -> SearchState:
    """Run the search to its end, from where its ledger is."""
    tracker = make_tracker(run_dir, config.tracking_uri, config.experiment)
    store = CheckpointStore(run_dir.checkpoints)
    policy = catalogue.build("policies", config.policy)
    backend = make_backend(config, data, store, arms=len(config.arms()))
    with closing(Ledger(run_dir.ledger)) as ledger, _tracked(tracker, note), closing(backend):
        before = ledger.events
        controller = Controller(
            ledger,
            fold(before, _budget(config, workers=backend.workers)),
            policy,
            backend,
            seed=config.seed,
            elapsed=elapsed_seconds(before),
            observers=observers,
            prune=store.prune,
            source=source,
            chunk=config.chunk,
            stop=stop_rule(config.confidence),
        )
        for event in opening:
            controller.record(event)
        reason = controller.run()
        appraise(controller, backend, partial(keep_appraisal, run_dir, store, data.shape))
        best = leader(controller.state.history.arms)
        last = SearchFinished(reason, best.name if best else None)
        # What the last line of the ledger promises is written before it.
        saved = write_results(run_dir, advance(controller.state, last), ledger.events)
        controller.record(last)
        if saved:
            note(saved.sentence())
        switched = switching_note(controller.state)
        if switched:
            note(switched)
    if best is None:
        raise VaesearchError(_why_all_failed(controller.state))
    return controller.state


def _why_all_failed(state: SearchState) -> str:
    causes = "; ".join(f"{name}: {arm.note}" for name, arm in state.arms.items())
    return f"every arm failed ({causes})."


@contextmanager
def _tracked(tracker: Tracker, note: Note) -> Iterator[None]:
    """Track what happens inside; waits for the rest to arrive only if it ended well."""
    tracker.start()
    try:
        yield
    except BaseException:
        tracker.close(0.0)
        raise
    if unsent := tracker.close(TRACKING_SECONDS):
        note(unsent)


def _arms_added(config: Config, data: ImageData) -> list[ArmAdded]:
    """The opening lines of the arms; running each on meta tensors finds misfits for free."""
    added = []
    folders: dict[str, str] = {}
    for arm in config.arms():
        folder = folder_name(arm.name)
        if folder in folders:
            raise InputError(
                f"{folders[folder]} and {arm.name} would share the folder {folder}: rename one."
            )
        folders[folder] = arm.name
        try:
            parameters = check_model(arm.settings, data.shape)
            flops = step_flops(arm.settings, data.shape, Loss(arm.settings))
        except InputError as error:
            raise InputError(f"{arm.name}: {error}") from error
        added.append(ArmAdded(arm.name, asdict(arm.settings), parameters, flops=flops))
    return added


def _budget(config: Config, workers: int = 1) -> Budget:
    return Budget(config.epochs, config.seconds, config.max_epochs_per_arm, workers)


def _refuse_used(run_dir: RunDir, config: Config) -> None:
    """A directory that holds a search already is resumed or left alone, never overwritten."""
    if not run_dir.ledger.exists():
        if run_dir.results.exists():
            raise RunDirError(f"{run_dir.path} holds other results: choose another --run-dir.")
        return
    events = read_ledger(run_dir.ledger)
    if not events:
        return  # killed before its first line: nothing is lost
    resume_it = f"vaesearch resume {shlex.quote(str(run_dir.path))}"
    before = fold(events, Budget()).config
    differs = [k for k in _difference(before, config) if k not in PLACES]
    if differs:
        shown = ", ".join(f"{k} {before.get(k)} there, {getattr(config, k)} here" for k in differs)
        raise RunDirError(
            f"{run_dir.path} was made by another configuration ({shown}).\n"
            f"Choose another --run-dir, or go on with that one: {resume_it}"
        )
    raise RunDirError(f"{run_dir.path} holds this search already; `{resume_it}` goes on.")


def _refuse_shared(run_dir: RunDir) -> None:
    """A shared encoder has a configuration, but no ledger to go on from."""
    if run_dir.ledger.exists() or not run_dir.config.exists():
        return
    if load_yaml(run_dir.config).get("shared_encoder"):
        again = f"vaesearch bandit --config {shlex.quote(str(run_dir.config))} --run-dir NEW"
        raise RunDirError(
            f"{run_dir.path} is of --shared-encoder, which cannot be resumed; anew: {again}"
        )


def _changed(before: dict[str, Any], changes: dict[str, Any]) -> Config:
    forbidden = [name for name in changes if name not in MAY_CHANGE]
    if forbidden:
        raise InputError(
            f"{', '.join(forbidden)} cannot change in the middle of a search; "
            f"what can: {', '.join(MAY_CHANGE)}."
        )
    known = {f.name for f in fields(Config)}
    return Config.from_dict({k: v for k, v in before.items() if k in known} | changes)


def _difference(before: dict[str, Any], config: Config) -> dict[str, Any]:
    return {k: v for k, v in config.to_dict().items() if before.get(k) != v}


def config_text(config: Config) -> str:
    """``config.yaml``: every option as resolved, and what it ran on."""
    head = software() | {"machine": hardware()}
    comments = "".join(f"# {key}: {value}\n" for key, value in head.items())
    return comments + str(yaml.safe_dump(config.to_dict(), sort_keys=False))
