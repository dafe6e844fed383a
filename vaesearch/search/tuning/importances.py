"""Which parameters of the space made the difference, with how far that can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
)
from optuna.trial import FrozenTrial, create_trial

from vaesearch import catalogue
from vaesearch.errors import unknown_name
from vaesearch.search.state import ArmState, SearchState
from vaesearch.search.tuning.figures import figures, signs
from vaesearch.search.tuning.quiet import quiet
from vaesearch.search.tuning.suggesting import distribution
from vaesearch.space import Space

LEAST = 20  # trials, below which chance decides
NEARLY_ALL = 0.9
TOP = 5  # trials that PED-ANOVA takes for the good ones, at least
RESAMPLES = {"ped-anova": 30, "fanova": 10}  # of the trials, for the range
SEED = 0  # the same search gives the same figures
GROUP = "decoder"  # the name of the group as a parameter


@dataclass(frozen=True)
class Importance:
    """Of one parameter: its share, and between which shares 90 % of resampled searches put it."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Importances:
    """Of all parameters, for one objective.

    Attributes:
        objective: that they matter for.
        evaluator: ``ped-anova`` or ``fanova``.
        epoch: trials that got so far are ranked by the best that they had by then.
        reached: how many got so far.
        trials: that are ranked.
        alone: whether only those that got so far are ranked.
        rows: the most important parameter first; empty where there are too few trials.
    """

    objective: str
    evaluator: str
    epoch: int
    reached: int
    trials: int
    alone: bool = False
    rows: tuple[Importance, ...] = ()

    @property
    def remark(self) -> str:
        """How they came about, or why there are none."""
        if not self.rows:
            return (
                f"{self.trials} trials are too few to tell which parameters matter: "
                f"it takes {LEAST}."
            )
        best = f"what tells the best {top(self.trials)} of {self.trials} trials from all"
        spread = f"shares of the variance of ranks over {self.trials} trials"
        method = f"fANOVA: {spread}" if self.evaluator == "fanova" else f"PED-ANOVA: {best}"
        behind = "" if self.alone else "; those that were cut or left before it behind them"
        return (
            f"{method}. Ranked at equal epochs: {self.reached} by their best value up to epoch "
            f"{self.epoch}{behind}. Ranges hold 90 % of resampled searches."
        )


def top(trials: int) -> int:
    """How many of so many trials PED-ANOVA takes for the good ones."""
    return max(TOP, trials // 10)


def importances(state: SearchState, evaluator: str = "ped-anova") -> list[Importances]:
    """How much of the difference between trials each parameter makes, for each objective.

    Trials are ranked at equal epochs. With a single objective all trained ones count, see
    :func:`ranked`: to leave out those that were cut early would hide what they were cut for. With
    several, no trial was cut for one of them alone, so each is ranked at an epoch that nearly all
    trials got to.

    Args:
        state: of a search that is tuned.
        evaluator: ``ped-anova`` (Watanabe et al. 2023: what tells the best trials from all) or
            ``fanova`` (Hutter et al. 2014: shares of the variance in a random forest; needs
            scikit-learn).

    Raises:
        InputError: no such evaluator.
    """
    if evaluator not in RESAMPLES:
        raise unknown_name("importance evaluator", evaluator, RESAMPLES)
    measured = [
        name
        for name in state.config.get("objective", ())
        if "cost" not in catalogue.find("objectives", name).traits
    ]
    return [_of_objective(state, name, evaluator) for name in measured]


def _of_objective(state: SearchState, objective: str, evaluator: str) -> Importances:
    trained = [
        arm
        for name, arm in state.arms.items()
        if arm.trial is not None
        and state.history.arm(name).status != "failed"
        and figures(arm, (objective,)) is not None
    ]
    alone = len(state.config.get("objective", ())) > 1
    wanted = math.ceil(NEARLY_ALL * len(trained)) if alone else 2 * top(len(trained))
    epoch = common_epoch([arm.epoch for arm in trained], wanted)
    reached = [arm for arm in trained if arm.epoch >= epoch]
    counted = reached if alone else trained
    about = Importances(objective, evaluator, epoch, len(reached), len(counted), alone)
    if len(counted) < LEAST or state.space is None:
        return about
    rows = _rows(_frozen(state, ranked(counted, objective, epoch)), evaluator)
    return replace(about, rows=rows)


def common_epoch(epochs: Sequence[int], wanted: int) -> int:
    """The largest epoch that ``wanted`` trials got to, or all of fewer.

    >>> common_epoch([30] * 5 + [9] * 8 + [3] * 12, 10)
    9
    """
    ordered = sorted(epochs, reverse=True)
    return ordered[min(wanted, len(ordered)) - 1] if ordered else 0


def ranked(arms: Sequence[ArmState], objective: str, epoch: int) -> list[ArmState]:
    """The arms, best first.

    Those that got to ``epoch`` by their figure up to then, behind them the others, those with
    more epochs first, and of equals the better one: they were judged by then and found wanting.
    """
    (sign,) = signs((objective,))

    def key(arm: ArmState) -> tuple[int, float]:
        got = min(arm.epoch, epoch)
        found = figures(arm, (objective,), got)
        return -got, -sign * found[0] if found else math.inf

    return sorted(arms, key=key)


def _frozen(state: SearchState, arms: Sequence[ArmState]) -> list[FrozenTrial]:
    """As trials of Optuna, the place of each as its loss."""
    space = Space.from_dict(state.space or {})
    known: dict[str, BaseDistribution] = {p.name: distribution(p) for p in space.parameters}
    groups = sorted({state.history.arm(arm.arm.name).group for arm in arms})
    if len(groups) > 1:
        known[GROUP] = CategoricalDistribution(groups)
    trials = []
    for place, arm in enumerate(arms):
        values: dict[str, Any] = dict(arm.values)
        if len(groups) > 1:
            values[GROUP] = state.history.arm(arm.arm.name).group
        trials.append(
            create_trial(
                value=float(place),
                params=values,
                distributions={name: known[name] for name in values},
            )
        )
    return trials


def _rows(trials: Sequence[FrozenTrial], evaluator: str) -> tuple[Importance, ...]:
    rng = np.random.default_rng(SEED)
    shares = _shares(trials, evaluator)
    drawn = [
        _shares([trials[i] for i in rng.integers(len(trials), size=len(trials))], evaluator)
        for _ in range(RESAMPLES[evaluator])
    ]
    rows = []
    for name, share in shares.items():
        low, high = np.quantile([draw.get(name, 0.0) for draw in drawn], [0.05, 0.95])
        # Resampling repeats trials, which sharpens a difference: the range may lie above.
        rows.append(Importance(name, share, min(share, float(low)), max(share, float(high))))
    return tuple(sorted(rows, key=lambda row: -row.share))


def _shares(trials: Sequence[FrozenTrial], evaluator: str) -> dict[str, float]:
    """Shares of one, by parameter; all 0 where nothing makes a difference."""
    with quiet():
        study = optuna.create_study(direction="minimize")
        study.add_trials(trials)
        found = _evaluator(evaluator, len(trials)).evaluate(study)
    total = sum(found.values())
    return {name: float(value / total) if total else 0.0 for name, value in found.items()}


def _evaluator(name: str, trials: int) -> BaseImportanceEvaluator:
    if name == "fanova":
        return FanovaImportanceEvaluator(seed=SEED)
    return PedAnovaImportanceEvaluator(target_quantile=top(trials) / trials)
