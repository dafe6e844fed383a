"""A search, from its opening lines to its results."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from vaesearch import catalogue
from vaesearch.api.storing import Mirror, NoMirror
from vaesearch.bandits.core import Budget, leader
from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import Config, TuneConfig
from vaesearch.data import ImageData
from vaesearch.errors import InputError, VaesearchError
from vaesearch.events import Event, SearchFinished
from vaesearch.mixtures.ending import tune_leading
from vaesearch.report.artifacts import keep_appraisal, write_results
from vaesearch.search.appraisal import appraise
from vaesearch.search.arms import ArmSource
from vaesearch.search.backends.making import make_backend, make_metrics
from vaesearch.search.controller import Controller, Observer, View
from vaesearch.search.demand import demand
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.savings import Savings
from vaesearch.search.state import SearchState, advance, elapsed_seconds, fold
from vaesearch.search.stopping import stop_rule
from vaesearch.search.switching import switching_note
from vaesearch.search.tuning.findings import handed_out
from vaesearch.search.tuning.keeping import Keeper
from vaesearch.search.tuning.views import make_view
from vaesearch.tracking.core import Tracker, make_tracker, warning_of
from vaesearch.tracking.elsewhere import seen_here_only

TRACKING_SECONDS = 30.0

_log = logging.getLogger(__name__)

Note = Callable[[str], None]
Kept = TypeVar("Kept")


def drive(
    run_dir: RunDir,
    config: Config,
    data: ImageData,
    opening: Sequence[Any],
    source: ArmSource | None,
    observers: Sequence[Observer],
    note: Note,
    mirror: Mirror | None = None,
) -> SearchState:
    """Run the search to its end, from where its ledger is."""
    mirror = mirror or NoMirror()
    tracker = make_tracker(run_dir, config.tracking_uri, config.experiment)
    if said := seen_here_only(run_dir, config.tracking_uri):
        _log.warning(said)
    store = CheckpointStore(run_dir.checkpoints)
    policy = catalogue.build("policies", config.policy)
    backend = make_backend(
        config, data, store,
        arms=most_arms(config), wanted=_wanted(run_dir, config, source), note=note,
    )  # fmt: skip
    # Closed in the end, so that nobody waits for MLflow with machines in hand; and in any case.
    with (
        closing(backend),
        closing(run_dir.open_ledger()) as ledger,
        _tracked(tracker, note),
        closing(backend),
    ):
        before = ledger.events
        controller = Controller(
            ledger,
            fold(before, budget_of(config, workers=backend.workers)),
            policy,
            backend,
            seed=config.seed,
            elapsed=elapsed_seconds(before),
            observers=[
                *observers,
                mirror.observe,
                *_keepers(config, run_dir, store),
                *make_metrics(config, backend, note),
                warning_of(tracker),
            ],
            prune=_durably(run_dir, store.prune),
            source=source,
            chunk=config.chunk,
            stop=stop_rule(config.confidence),
            view=view_of(config),
        )
        mirror.start(before, controller.state)
        with _waited_for(mirror.close, note):
            for event in opening:
                controller.record(event)
            reason = controller.run()
            keep = partial(keep_appraisal, run_dir, store, data.shape)
            appraise(controller, backend, keep, _worth_it(controller.state, store))
            tune_leading(run_dir, controller.state, config, data, note)
            best = leader(controller.state.history.arms)
            last = SearchFinished(reason, best.name if best else None)
            # What the last line of the ledger promises is written before it.
            saved = _write(run_dir, advance(controller.state, last), ledger.events)
            run_dir.put()
            controller.record(last)
        run_dir.deliver()
        if saved:
            note(saved.sentence())
        switched = switching_note(controller.state)
        if switched:
            note(switched)
    if best is None and not controller.state.arms:
        raise InputError(f"no arm was trained: {reason}")
    if best is None:
        raise VaesearchError(_why_all_failed(controller.state))
    return controller.state


def _wanted(run_dir: RunDir, config: Config, source: ArmSource | None) -> int | None:
    """Workers that are of use from the start; None before there are any arms."""
    if not run_dir.ledger.exists():
        return None
    events = read_ledger(run_dir.ledger)
    state = fold(events, budget_of(config))
    if not state.arms:
        return None
    late = state.history.at(elapsed_seconds(events))
    return demand(replace(state, history=late), chunk=config.chunk, source=source)


def _keepers(config: Config, run_dir: RunDir, store: CheckpointStore) -> list[Observer]:
    """Where arms are proposed there are too many to keep the checkpoints of all of them."""
    remove = _durably(run_dir, store.keep_only)
    return [Keeper(remove)] if isinstance(config, TuneConfig) else []


def _durably(run_dir: RunDir, delete: Callable[[str, Kept], None]) -> Callable[[str, Kept], None]:
    """Delete only once the lines that make it needless are where the run is."""
    return lambda arm, keep: run_dir.when_durable(partial(delete, arm, keep))


def _worth_it(state: SearchState, store: CheckpointStore) -> set[str] | None:
    """The arms to score on test images; None for all of them."""
    if state.space is None:
        return None
    best = {name: state.arms[name].best for name in handed_out(state)}
    return {
        name
        for name, at in best.items()
        if at and store.has(name, at.epoch, state.arms[name].checkpoints.get(at.epoch, ""))
    }


def _write(run_dir: RunDir, state: SearchState, events: Sequence[Event]) -> Savings | None:
    """The results; what was saved against equal shares means nothing for proposals."""
    if state.space is None:
        return write_results(run_dir, state, events)
    from vaesearch.report.tuning.writing import write_tuned  # which needs Optuna

    write_tuned(run_dir, state, events)
    return None


def _why_all_failed(state: SearchState) -> str:
    causes = "; ".join(f"{name}: {arm.note}" for name, arm in state.arms.items())
    return f"every arm failed ({causes})."


@contextmanager
def _tracked(tracker: Tracker, note: Note) -> Iterator[None]:
    """Track what happens inside."""
    tracker.start()
    with _waited_for(tracker.close, note):
        yield


@contextmanager
def _waited_for(close: Callable[[float], str | None], note: Note) -> Iterator[None]:
    """Wait for the rest to arrive elsewhere only if what happens inside ended well."""
    try:
        yield
    except BaseException:
        close(0.0)
        raise
    if unsent := close(TRACKING_SECONDS):
        note(unsent)


def budget_of(config: Config, workers: int = 1) -> Budget:
    """What the configuration lets a search spend."""
    trials = config.trials if isinstance(config, TuneConfig) else None
    return Budget(config.epochs, config.seconds, config.max_epochs_per_arm, workers, trials)


def view_of(config: Config) -> View:
    """The history as policies are to see it: ranks where several objectives count."""
    return make_view(config.objective if isinstance(config, TuneConfig) else ())


def most_arms(config: Config) -> int:
    """How many arms there can be."""
    trials = (config.trials or 1) if isinstance(config, TuneConfig) else 0
    return len(config.arms()) + trials
