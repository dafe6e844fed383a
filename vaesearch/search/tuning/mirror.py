"""What an Optuna storage is to show of a search: each trial as a function of the state.

Trials have the search's own numbers. One in training is RUNNING; one that was cut is PRUNED; one
that had all its epochs, or was still open when the search ended, is COMPLETE; one that was lost is
FAIL. A finished trial of Optuna's cannot be changed, so what is said of one here never changes
either, but for two things: figures on test images come later, and a search that ended may go on.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from vaesearch.bandits.core import ArmHistory
from vaesearch.events import ArmAdded, Event, TrialKnown, TrialRefused
from vaesearch.search.state import ArmState, SearchState
from vaesearch.search.tuning.figures import figures, signs
from vaesearch.search.tuning.fronts import front
from vaesearch.search.tuning.proposals import distribution
from vaesearch.space import Space

RUNG_BASE = 2
_VALUED = (TrialState.COMPLETE, TrialState.PRUNED)


class Times:
    """When each trial had its first and its last event, in Unix seconds."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._times: dict[int, tuple[float, float]] = {}

    def note(self, event: Event) -> int | None:
        """Take note of an event; returns the number of the trial that it is about."""
        if isinstance(event, ArmAdded) and event.trial is not None:
            self._numbers[event.arm] = event.trial
        if isinstance(event, TrialRefused | TrialKnown):
            number: int | None = event.trial
        else:
            number = self._numbers.get(getattr(event, "arm", ""))
        if number is not None:
            self._times[number] = (self._times.get(number, (event.time,))[0], event.time)
        return number

    def of(self, number: int) -> tuple[datetime, datetime]:
        """Both moments of a trial, in local time as Optuna has them."""
        began, ended = self._times[number]
        return datetime.fromtimestamp(began), datetime.fromtimestamp(ended)


def rungs(epochs: int) -> list[int]:
    """Epochs at which a value is reported: 1, 2, 4, 8, ...

    They follow from the curve alone, are those of halving, and make a trial of a thousand epochs
    eleven lines long.
    """
    return [RUNG_BASE**k for k in range(epochs.bit_length()) if RUNG_BASE**k <= epochs]


class Wanted:
    """The trials that a storage should have.

    Args:
        space: that is searched.
        state: of the search.
        times: of its events.
    """

    def __init__(self, space: Space, state: SearchState, times: Times) -> None:
        self._state = state
        self._times = times
        self._objectives: Sequence[str] = tuple(state.config["objective"])
        self._signs = signs(self._objectives)
        self._distributions = {p.name: distribution(p) for p in space.parameters}
        self._domains = {p.name: p.domain for p in space.parameters}
        self._arms = {arm.trial: name for name, arm in state.arms.items()}
        self._refused = {event.trial: event for event in state.refused}
        self._known = {event.trial: event for event in state.known}
        self._best = self._recommended()

    def trial(self, number: int) -> FrozenTrial:
        """The trial of that number; KeyError if the search has none."""
        if number in self._refused:
            made = self._turned_away(self._refused[number])
        elif number in self._known:
            made = self._told(self._known[number])
        else:
            made = self._trained(self._arms[number])
        began, ended = self._times.of(number)
        made.number, made.datetime_start = number, began
        made.datetime_complete = ended if made.state.is_finished() else None
        return made

    def trials(self) -> Iterator[FrozenTrial]:
        """All trials, in the order of their numbers."""
        yield from map(self.trial, range(self._state.trials))

    def _trained(self, name: str) -> FrozenTrial:
        arm, history = self._state.arms[name], self._state.history.arm(name)
        standing = self._standing(name, arm, history)
        reports = arm.reports
        steps = rungs(len(reports))
        attributes: dict[str, Any] = {"arm": name, "parameters": arm.parameters}
        attributes |= _grouped(history.group)
        attributes |= {"flops": arm.flops} if arm.flops is not None else {}
        attributes |= {"repeats": arm.again} if arm.again is not None else {}
        if standing.is_finished():
            steps = sorted({*steps, len(reports)} - {0})
            attributes |= self._ended(arm)
        values = self._values(arm) if standing in _VALUED else None
        return self._make(
            standing,
            arm.values,
            attributes,
            values=values,
            intermediate=self._curve(arm, steps),
        )

    def _standing(self, name: str, arm: ArmState, history: ArmHistory) -> TrialState:
        if history.status == "failed":
            return TrialState.FAIL
        if history.pending:
            return TrialState.RUNNING  # also where it was cut meanwhile: the epochs will count
        ended = self._state.finished
        if self._values(arm) is not None:
            at_cap = arm.epoch >= self._state.history.cap(history)
            if at_cap or name in self._best or (ended is not None and history.status == "open"):
                return TrialState.COMPLETE
        return TrialState.PRUNED if history.status == "cut" or ended else TrialState.RUNNING

    def _values(self, arm: ArmState) -> tuple[float, ...] | None:
        """The objectives of an arm; None where one is missing or no number."""
        found = figures(arm, self._objectives)
        return None if found is None or any(map(math.isnan, found)) else found

    def _recommended(self) -> set[str]:
        """The best arms of a search that ended: COMPLETE even if cut, for Optuna to see them."""
        if self._state.finished is None:
            return set()
        found = {name: self._values(arm) for name, arm in self._state.arms.items()}
        failed = {a.name for a in self._state.history.arms if a.status == "failed"}
        points = {n: p for n, p in found.items() if p is not None and n not in failed}
        losses = [[-s * v for s, v in zip(self._signs, p, strict=True)] for p in points.values()]
        names = list(points)
        best = {names[place] for place in front(losses)} if len(self._signs) > 1 else set()
        return best | {self._state.finished.best_arm or ""}

    def _ended(self, arm: ArmState) -> dict[str, Any]:
        told: dict[str, Any] = {"epochs": arm.epoch}
        told |= {"best_epoch": arm.best.epoch} if arm.best else {}
        told |= {"note": arm.note} if arm.note else {}
        return told | {f"test_{key}": value for key, value in arm.test.items()}

    def _curve(self, arm: ArmState, steps: Sequence[int]) -> dict[int, float]:
        """The first objective of what could be handed out after each of ``steps`` epochs."""
        curve = {}
        for step in steps:
            found = figures(arm, self._objectives[:1], step)
            if found is not None:
                curve[step] = found[0]
        return curve

    def _turned_away(self, event: TrialRefused) -> FrozenTrial:
        attributes = {"note": event.reason} | _grouped(event.group)
        excess = dict(event.excess)
        return self._make(TrialState.PRUNED, event.values, attributes, constraints=excess)

    def _told(self, event: TrialKnown) -> FrozenTrial:
        attributes = {"source": event.source} | _grouped(event.group)
        values = [event.figures[n] for n in self._objectives if n in event.figures]
        if len(values) < len(self._objectives) or any(map(math.isnan, values)):
            return self._make(TrialState.PRUNED, event.values, attributes)
        return self._make(TrialState.COMPLETE, event.values, attributes, values=values)

    def _make(
        self,
        standing: TrialState,
        values_of: Mapping[str, Any],
        attributes: dict[str, Any],
        *,
        values: Sequence[float] | None = None,
        intermediate: dict[int, float] | None = None,
        constraints: dict[str, float] | None = None,
    ) -> FrozenTrial:
        inside = {
            name: value
            for name, value in values_of.items()
            if name in self._domains and self._domains[name].accept(value) == value
        }
        # A value that was asked for may lie outside the space, which Optuna does not take.
        outside = {f"value_{k}": v for k, v in values_of.items() if k not in inside}
        return create_trial(
            state=standing,
            values=values,
            params=inside,
            distributions={name: self._distributions[name] for name in inside},
            user_attrs=attributes | outside,
            intermediate_values=intermediate,
            constraints=constraints,
        )


def _grouped(group: str) -> dict[str, str]:
    return {"group": group} if group else {}
