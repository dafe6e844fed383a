"""The next proposal: a pure function of the space, the seed and what the ledger says so far.

The study that a sampler looks at lives in memory and is made from the state, so that a resumed
search proposes what the undisturbed one would have. What a storage holds is a mirror of it.
"""

from collections.abc import Iterator
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from vaesearch import catalogue
from vaesearch.search.state import ArmState, SearchState
from vaesearch.seeding import derive
from vaesearch.space import Choice, Float, Int, Parameter, Space, Value


def propose(space: Space, sampler: str, seed: int, state: SearchState) -> dict[str, Value]:
    """Values for the next trial.

    Args:
        space: to draw from.
        sampler: a catalogue spec.
        seed: of the search.
        state: what is known of the trials before.
    """
    made = catalogue.build(
        "samplers",
        sampler,
        seed=derive(seed, "proposal", state.trials) % 2**32,
        conditional=any(p.when for p in space.parameters),
    )
    study = optuna.create_study(sampler=made, direction="maximize")
    study.add_trials(list(trials_of(space, state)))
    return ask(study.ask(), space)


def ask(trial: Trial, space: Space) -> dict[str, Value]:
    """The values that ``trial`` suggests for the active parameters, in the order of the space."""
    values: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.is_active(values):
            values[parameter.name] = _suggest(trial, parameter)
    return values


def _suggest(trial: Trial, parameter: Parameter) -> Value:
    name = parameter.name
    match parameter.domain:
        case Float(low, high, log):
            return trial.suggest_float(name, low, high, log=log)
        case Int(low, high, log, step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case Choice(options):
            chosen: Value = trial.suggest_categorical(name, options)  # type: ignore[assignment]
            return chosen


def distribution(parameter: Parameter) -> BaseDistribution:
    """Optuna's name for the domain of a parameter."""
    match parameter.domain:
        case Float(low, high, log):
            return FloatDistribution(low, high, log)
        case Int(low, high, log, step):
            return IntDistribution(low, high, log, step)
        case Choice(options):
            return CategoricalDistribution(options)


def trials_of(space: Space, state: SearchState) -> Iterator[FrozenTrial]:
    """The trials of the search as a sampler sees them, in the order of their numbers."""
    distributions = {p.name: distribution(p) for p in space.parameters}
    for name, arm in state.arms.items():
        if arm.trial is None:
            continue
        history = state.history.arm(name)
        at_cap = arm.epoch >= state.history.cap(history)
        standing = TrialState.RUNNING if history.pending or not arm.reports else TrialState.PRUNED
        if history.status == "failed":
            standing = TrialState.FAIL
        elif at_cap and not history.pending:
            standing = TrialState.COMPLETE
        yield create_trial(
            state=standing,
            value=arm.best.reward if arm.best and standing == TrialState.COMPLETE else None,
            params=dict(arm.values),
            distributions={name: distributions[name] for name in arm.values},
            intermediate_values=_intermediate(arm),
        )


def _intermediate(arm: ArmState) -> dict[int, Any]:
    """The best reward up to each epoch: what could be handed out then."""
    best = float("-inf")
    shown = {}
    for report in arm.reports:
        best = max(best, report.reward)
        shown[report.epoch] = best
    return shown
