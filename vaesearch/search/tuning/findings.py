"""What a tuned search found, as plain data: its trials, the best of them, and the front.

Results, tables, pictures and the closing words are all made from this one record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from vaesearch.search.state import ArmState, SearchState
from vaesearch.search.tuning.figures import figures, signs
from vaesearch.search.tuning.fronts import front, hypervolume
from vaesearch.search.tuning.told import told
from vaesearch.space import Space, Value

LEADERS = 5  # arms that are measured on test images, beside the front and the best of each group


@dataclass(frozen=True)
class Trial:
    """A proposal and what came of it.

    Attributes:
        number: in the order of proposals.
        group: that it is of; empty in a search of one group.
        values: in the search space.
        state: ``complete`` (had all the epochs that a trial may have), ``pruned`` (cut, or left
            for others), ``running`` (no epoch yet), ``failed``, ``refused`` (not trained), or
            ``known`` (of an earlier search).
        arm: that stands for it; None where it was not trained.
        epochs: that it has had.
        figures: the objectives of its best checkpoint on validation images, by name.
        test: figures of that checkpoint on test images, where they were measured.
        reason: why it was cut, failed or refused.
        seconds: of its epochs.
    """

    number: int
    group: str
    values: Mapping[str, Value]
    state: str
    arm: str | None = None
    epochs: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Findings:
    """What a tuned search found.

    Attributes:
        objectives: that were asked for.
        reward: the one of them that arms are compared by.
        trials: all of them, by number.
        ranking: numbers of those that were trained, best first by the reward; failed ones last.
        front: numbers of those that no other dominates, by the reward; the best alone where there
            is one objective.
        defaults: numbers of those that stand where the options stand without a search.
        reference: the worst value of each objective on the trials that count, below which the
            hypervolume is measured.
        volume: that the front dominates, in units of the objectives multiplied.
    """

    objectives: tuple[str, ...]
    reward: str
    trials: tuple[Trial, ...]
    ranking: tuple[int, ...]
    front: tuple[int, ...]
    defaults: tuple[int, ...]
    reference: Mapping[str, float] | None = None
    volume: float | None = None

    @property
    def best(self) -> Trial | None:
        """The trial that is handed out; None before any epoch."""
        return self.trials[self.ranking[0]] if self.ranking else None

    @property
    def best_values(self) -> dict[str, Value]:
        """Of the best trial, in the search space."""
        return dict(self.best.values) if self.best else {}

    def plain(self) -> dict[str, Any]:
        """What ``results.json`` holds of it."""
        shown = [self.trials[number] for number in self.front]
        return {
            "objectives": list(self.objectives),
            "best_values": self.best_values,
            "front": [
                {"arm": t.arm, "number": t.number, "figures": dict(t.figures),
                 "test": dict(t.test), "values": dict(t.values)} for t in shown
            ],
            "hypervolume": {"value": self.volume, "reference": self.reference},
            "defaults": list(self.defaults),
            "trials": [asdict(t) for t in self.trials],
        }  # fmt: skip


def findings(state: SearchState) -> Findings:
    """What the search has found so far.

    An arm stands for its best checkpoint, the one of the epoch with the highest reward: that is
    what is kept and handed out, so all figures of an arm are of one model.

    Args:
        state: of a search that is tuned, finished or not.
    """
    objectives = tuple(state.config.get("objective") or (state.config.get("reward", "bpd"),))
    trials = _trials(state, objectives)
    numbers = {t.arm: t.number for t in trials if t.arm is not None}
    ranking = tuple(
        numbers[name] for name in state.ranking if name in numbers and state.arms[name].best
    )
    counted = [n for n in ranking if trials[n].state != "failed" and trials[n].figures]
    losses = np.array([_losses(trials[n], objectives) for n in counted])
    best = [counted[i] for i in front(losses)] if len(counted) else []
    corner = losses.max(axis=0).tolist() if len(counted) and len(objectives) > 1 else None
    return Findings(
        objectives,
        state.config.get("reward", "bpd"),
        trials,
        ranking,
        tuple(best if len(objectives) > 1 else best[:1]),
        _defaults(trials, state),
        dict(zip(objectives, _units(corner, objectives), strict=True)) if corner else None,
        hypervolume(losses, corner) if corner else None,
    )


def handed_out(state: SearchState) -> set[str]:
    """The arms worth a look at test images: the leaders, the best of each group, the front."""
    return worth_keeping(findings(state), LEADERS)


def worth_keeping(found: Findings, leaders: int) -> set[str]:
    """So many of the best arms, the best of each group, and the front; no failed ones."""
    sound = [found.trials[n] for n in found.ranking if found.trials[n].state != "failed"]
    groups = {trial.group: trial for trial in reversed(sound)}
    on_front = [found.trials[n] for n in found.front]
    return {t.arm for t in (*sound[:leaders], *groups.values(), *on_front) if t.arm}


def _trials(state: SearchState, objectives: Sequence[str]) -> tuple[Trial, ...]:
    arms = {arm.trial: arm for arm in state.arms.values() if arm.trial is not None}
    refused = {event.trial: event for event in state.refused}
    known = {event.trial: event for event in state.known}
    trials = []
    for one in told(state, ()):
        head = one.number, one.group, dict(one.values)
        if one.number in refused:
            trials.append(Trial(*head, "refused", reason=refused[one.number].reason))
        elif one.number in known:
            earlier = known[one.number]
            trials.append(
                Trial(*head, "known", figures=dict(earlier.figures), reason=earlier.source)
            )
        else:
            trials.append(_trained(head, one.standing, arms[one.number], objectives))
    return tuple(trials)


def _trained(
    head: tuple[int, str, dict[str, Value]],
    standing: str,
    arm: ArmState,
    objectives: Sequence[str],
) -> Trial:
    known = figures(arm, objectives)
    return Trial(
        *head, standing, arm.arm.name, arm.epoch,
        dict(zip(objectives, known, strict=True)) if known else {},
        dict(arm.test), arm.note, sum(r.seconds for r in arm.reports),
    )  # fmt: skip


def _defaults(trials: Sequence[Trial], state: SearchState) -> tuple[int, ...]:
    """The trials that stand where the options stand without a search."""
    point = Space.from_dict(state.space).defaults(state.config) if state.space else None
    return tuple(t.number for t in trials if t.arm and point is not None and t.values == point)


def _losses(trial: Trial, objectives: Sequence[str]) -> list[float]:
    pairs = zip(signs(objectives), objectives, strict=True)
    return [-sign * trial.figures[name] for sign, name in pairs]


def _units(losses: Any, objectives: Sequence[str]) -> list[float]:
    return [float(-s * x) for s, x in zip(signs(objectives), losses, strict=True)]
