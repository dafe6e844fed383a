"""Trials as a sampler's study takes them: made once, for every proposal copies them into one.

A proposal sees all trials before it, so what is done for each of them grows with the square of
their number; Optuna's own deep copies would take most of a controller's time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from vaesearch.search.tuning.samplers import Recipe
from vaesearch.search.tuning.told import Told

STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "running": TrialState.RUNNING,
    "failed": TrialState.FAIL,
    "refused": TrialState.PRUNED,
}
Attributes = Mapping[str, Any]
Worst = tuple[float, ...] | None


class Templates:
    """Makes trials, and remembers the latest form of each.

    Args:
        distributions: of the parameters, by name.
        recipe: of the sampler.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], recipe: Recipe) -> None:
        self._distributions = distributions
        self._recipe = recipe
        self._made: dict[int, tuple[tuple[Told, Worst, Attributes | None], FrozenTrial]] = {}

    def of(
        self, trials: Sequence[Told], attributes: Mapping[int, Attributes]
    ) -> list[FrozenTrial]:
        """The trials, with what a stateful sampler wrote down at each."""
        known = [t.figures for t in trials if t.figures is not None]
        worst = tuple(map(min, zip(*known, strict=True))) if known else None
        return [self._of(t, worst, attributes.get(t.number)) for t in trials]

    def _of(self, trial: Told, worst: Worst, attributes: Attributes | None) -> FrozenTrial:
        says = trial, worst if trial.standing == "refused" else None, attributes
        before = self._made.get(trial.number)
        if before is None or before[0] != says:
            made = _frozen(trial, self._distributions, self._recipe, worst, attributes)
            self._made[trial.number] = says, _Template.of(made)
        return self._made[trial.number][1]


class _Template(FrozenTrial):
    """A trial whose deep copy shares what never changes: values and distributions."""

    @classmethod
    def of(cls, trial: FrozenTrial) -> "_Template":
        """The same trial as a template."""
        template = cls.__new__(cls)
        template.__dict__.update(vars(trial))
        return template

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenTrial:
        twin = FrozenTrial.__new__(FrozenTrial)
        for name, value in vars(self).items():
            twin.__dict__[name] = value.copy() if isinstance(value, dict | list) else value
        return twin


def _frozen(
    trial: Told,
    distributions: Mapping[str, BaseDistribution],
    recipe: Recipe,
    worst: Worst,
    attributes: Attributes | None,
) -> FrozenTrial:
    """The trial as Optuna writes it.

    One that was given up, or waits, is complete with the figures that it has; one that was refused
    is the worst of all for a sampler that knows of no constraints.
    """
    state, figures = STATES[trial.standing], trial.figures
    if trial.standing == "refused" and not recipe.constrained:
        figures = worst
        state = TrialState.COMPLETE if worst else TrialState.FAIL
    by_rank = trial.standing == "pruned" and recipe.told == "rank" and len(figures or ()) == 1
    if trial.standing == "pruned" and not by_rank:
        state = TrialState.COMPLETE
    return create_trial(
        state=state,
        values=figures if state == TrialState.COMPLETE else None,
        intermediate_values={trial.epochs: figures[0]} if by_rank and figures else None,
        params=dict(trial.values),
        distributions={name: distributions[name] for name in trial.values},
        constraints=dict(trial.excess) if recipe.constrained else None,
        system_attrs=dict(attributes or {}),
    )
