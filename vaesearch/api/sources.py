"""Where the arms come from that join during a search."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vaesearch import catalogue
from vaesearch.api.arms import admitted
from vaesearch.api.running import Note
from vaesearch.bandits.core import Budget
from vaesearch.config import Config, TuneConfig
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.events import Event, TrialKnown
from vaesearch.mixtures.ending import check_components
from vaesearch.search.arms import ArmSource
from vaesearch.search.state import fold
from vaesearch.space import Space
from vaesearch.storage import place_of

_COUNTED = {"flops", "memory"}


def make_source(
    config: Config,
    space: Space | None,
    data: ImageData,
    events: Sequence[Event] = (),
    note: Note = lambda text: None,
) -> ArmSource | None:
    """What proposes arms, if the configuration is one of tuning.

    Args:
        config: resolved.
        space: to search.
        data: to train on.
        events: of the search so far.
        note: told what of an earlier search can be used, and what a sampler cannot model.

    Raises:
        InputError: Optuna is missing, or an option cannot be used; says which.
    """
    if not isinstance(config, TuneConfig) or space is None:
        return None
    check_components(space, len(data.train), config.latent_dim or 1)
    try:
        from vaesearch.search.tuning.constraints import parse_constraints
        from vaesearch.search.tuning.enqueued import enqueued
        from vaesearch.search.tuning.proposals import Proposer
        from vaesearch.search.tuning.source import Admission, First, TrialSource
        from vaesearch.search.tuning.timing import seconds_per_epoch
    except ModuleNotFoundError as error:
        raise InputError(f"tuning needs {error.name}: pip install optuna cmaes") from error
    proposer = Proposer(space, config.sampler, config.seed, config.objective, config.reward)
    if proposer.recipe.note and not events:
        note(proposer.recipe.note)
    constraints = parse_constraints(config.constraint)
    counted = _COUNTED & {*config.objective, *(c.name for c in constraints)}
    admission = Admission(
        lambda arm: admitted(arm, data, counted=bool(counted)),
        constraints,
        lambda settings: seconds_per_epoch(settings, data, config.seed),
    )
    points, _ = enqueued(config.enqueue, config, space)
    first = First(_known(config, space, data, events, note), points)
    policy = catalogue.build("policies", config.policy)
    return TrialSource(config, proposer, policy, admission, first, events)


def settled(config: Config, space: Space | None, note: Note = lambda text: None) -> Config:
    """The configuration with what is read from files in itself, since those may change.

    Raises:
        InputError: something that is to be proposed first lies outside of the space.
    """
    if not isinstance(config, TuneConfig) or space is None:
        return config
    from vaesearch.search.tuning.enqueued import as_text, enqueued

    points, remarks = enqueued(config.enqueue, config, space)
    for remark in remarks:
        note(remark)
    earlier = config.warm_start and place_of(config.warm_start)
    if isinstance(earlier, Path):
        earlier = str(earlier.absolute())
    return replace(config, enqueue=tuple(map(as_text, points)), warm_start=earlier)


def _known(
    config: TuneConfig, space: Space, data: ImageData, events: Sequence[Event], note: Note
) -> list[TrialKnown]:
    """Trials of an earlier run, which is read once: they are in the ledger from the start."""
    from vaesearch.search.tuning.known import known_trials

    state = fold(events, Budget())
    if config.warm_start is None or state.arms or state.refused:
        return []
    known, remark = known_trials(config.warm_start, config, space, data.fingerprint)
    note(remark)
    return known
