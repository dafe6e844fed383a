"""What a sampler is told of each trial, as plain data: higher figures are better throughout."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Literal

from vaesearch.bandits.core import Budget, History
from vaesearch.bandits.projection import project
from vaesearch.search.state import ArmState, SearchState
from vaesearch.search.tuning.figures import figures, signs
from vaesearch.space import Value

Standing = Literal["complete", "pruned", "running", "failed", "refused"]
Figures = tuple[float, ...]


@dataclass(frozen=True)
class Told:
    """One trial.

    Attributes:
        number: of the trial.
        group: that it is of.
        values: in the search space.
        standing: ``complete`` at the cap, ``pruned`` where it was cut or waits for more epochs,
            ``running`` before its first epoch is known.
        figures: the objectives of its best epoch; None where there is none.
        epochs: that it has had.
        excess: of a refused one, by how much it breaks each constraint.
    """

    number: int
    group: str
    values: Mapping[str, Value]
    standing: Standing
    figures: Figures | None = None
    epochs: int = 0
    excess: Mapping[str, float] = field(default_factory=dict)


def told(state: SearchState, objectives: Sequence[str]) -> list[Told]:
    """Every trial of the search, of earlier ones too, in the order of their numbers.

    An arm with epochs in flight is told by those that it has: a sampler that has to keep away
    from trials in flight would keep away from the best ones.
    """
    trials = [_of_arm(name, state, objectives) for name in state.arms]
    sign = signs(objectives)
    for refused in state.refused:
        excess = refused.excess or {"buildable": 1.0}
        trials.append(Told(refused.trial, refused.group, refused.values, "refused", excess=excess))
    for known in state.known:
        values = tuple(s * known.figures[o] for s, o in zip(sign, objectives, strict=True))
        trials.append(Told(known.trial, known.group, known.values, "complete", values))
    return sorted((t for t in trials if t is not None), key=lambda t: t.number)


def _of_arm(name: str, state: SearchState, objectives: Sequence[str]) -> Told | None:
    arm, history = state.arms[name], state.history.arm(name)
    if arm.trial is None:
        return None
    found = _signed(arm, objectives)
    standing: Standing = "pruned"
    if history.status == "failed":
        standing = "failed"
    elif found is None:  # one with epochs lacks a figure, which is no number
        standing = "failed" if arm.epoch else "running"
    elif arm.epoch >= state.history.cap(history):
        standing = "complete"
    return Told(arm.trial, history.group, arm.values, standing, found, arm.epoch)


def _signed(arm: ArmState, objectives: Sequence[str]) -> Figures | None:
    found = figures(arm, objectives)
    return found and tuple(s * x for s, x in zip(signs(objectives), found, strict=True))


def projected(trials: Iterable[Told], state: SearchState) -> list[Told]:
    """The trials with what they would be worth at the cap, by their learning curves.

    Args:
        trials: of a search whose only objective is its reward.
        state: of the search.
    """
    arms = tuple(
        state.history.arm(name) for name, arm in state.arms.items() if arm.trial is not None
    )
    if not any(a.rewards and a.status != "failed" for a in arms):
        return list(trials)
    # To the cap, whatever is left of the budget: what a trial is worth must not depend on that.
    final = project(History(Budget(cap=state.history.budget.cap), arms))
    values = final.in_rewards(final.expected())
    by_number = {state.arms[name].trial: value for name, value in values.items()}
    return [
        replace(t, figures=(by_number[t.number],))
        if t.number in by_number and t.standing in ("pruned", "complete")
        else t
        for t in trials
    ]


def for_group(trials: Sequence[Told], group: str, enough: int) -> list[Told]:
    """The trials that a proposal for ``group`` is to be learnt from.

    Those of the group, once ``enough`` of them have a figure. Before that those of all groups,
    each less the median of its group: what makes a trial good among its like is then learnt from
    all, and what makes a group good is not taken for the merit of its values.
    """
    own = [t for t in trials if t.group == group]
    if sum(t.figures is not None for t in own) >= enough or len(own) == len(trials):
        return own
    middles = {name: _middle([t for t in trials if t.group == name]) for name in
               {t.group for t in trials}}  # fmt: skip
    return [t if t.figures is None else _less(t, middles[t.group]) for t in trials]


def _middle(trials: Iterable[Told]) -> Figures:
    columns = zip(*(t.figures for t in trials if t.figures is not None), strict=True)
    return tuple(median(column) for column in columns)


def _less(trial: Told, middle: Figures) -> Told:
    values = trial.figures or ()
    return replace(trial, figures=tuple(x - m for x, m in zip(values, middle, strict=True)))
