"""Optuna's pruners as policies: each trial runs on until the pruner stops it.

What a pruner looks at, a study in memory, follows from the history alone.
"""

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState

from vaesearch.bandits.common import check_integer
from vaesearch.bandits.core import ArmHistory, Decision, History
from vaesearch.bandits.opening import Opening, epochs_left, smallest_group
from vaesearch.errors import InputError, unknown_name
from vaesearch.search.tuning.quiet import quiet
from vaesearch.specs import parse_spec

STUDY = "vaesearch"  # the name decides which bracket of Hyperband a trial falls into


def pruners() -> dict[str, type[BasePruner]]:
    """Optuna's pruners by their names in words: ``SuccessiveHalvingPruner`` with hyphens."""
    named: dict[str, type[BasePruner]] = {"none": optuna.pruners.NopPruner}
    for attribute in optuna.pruners.__all__:
        if attribute not in ("BasePruner", "NopPruner"):
            stem = attribute.removesuffix("Pruner")
            words = "".join(f"-{c.lower()}" if c.isupper() else c for c in stem)
            named[words.lstrip("-")] = getattr(optuna.pruners, attribute)
    return named


def make_pruner(name: str, *values: Any, **options: Any) -> BasePruner:
    """Optuna's pruner of that name.

    ``patient`` holds back another one, ``wrapped``, that is named in the same way.

    Args:
        name: in words; numbers may follow behind colons, as in ``percentile:25``.
        *values: arguments of the pruner.
        **options: the same, by name.

    Raises:
        InputError: no pruner has that name, or it does not take these arguments.
    """
    stem, more, _ = parse_spec(name)
    known = pruners()
    if stem not in known:
        raise unknown_name("pruner", stem, sorted(known))
    cls, positional = known[stem], [*more, *values]
    given = {k: {"true": True, "false": False}.get(v, v) for k, v in options.items()}
    signature = inspect.signature(cls)
    taken = list(signature.parameters)
    if cls is optuna.pruners.PatientPruner:
        wrapped = given.pop("wrapped", None)
        inner = make_pruner(wrapped) if wrapped else None
        positional = [inner, *positional]
        taken = ["wrapped", *taken[1:]]
    try:
        signature.bind(*positional, **given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return cls(*positional, **given)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"pruner {stem!r}: {str(error).rstrip('.')}; it takes {', '.join(taken) or 'nothing'}."
        ) from error


def pruner_policy(
    name: str = "median", *values: Any, chunk: int = 1, **options: Any
) -> "PrunerPolicy":
    """The policy of a pruner, as it is written: ``pruner:median``, ``pruner:percentile:25``.

    Raises:
        InputError: see :func:`make_pruner`.
    """
    make_pruner(name, *values, **options)
    return PrunerPolicy(name, values, tuple(sorted(options.items())), chunk)


@dataclass
class _Told:
    """A study and what it was told, trial by trial, in the order of joining."""

    study: Study
    trials: list[Trial] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rewards: list[tuple[float, ...]] = field(default_factory=list)
    over: list[bool] = field(default_factory=list)
    stop: list[bool] = field(default_factory=list)

    def join(self, arms: Sequence[ArmHistory]) -> None:
        """Number the arms that are new."""
        for arm in arms[len(self.trials) :]:
            self.trials.append(self.study.ask())
            self.names.append(arm.name)
            self.rewards.append(())
            self.over.append(False)
            self.stop.append(False)

    def report(self, place: int, rewards: tuple[float, ...]) -> None:
        """The rewards up to now of an arm; the pruner is asked after each new one, and once."""
        if len(rewards) <= len(self.rewards[place]):
            return
        trial = self.trials[place]
        for epoch in range(len(self.rewards[place]) + 1, len(rewards) + 1):
            trial.report(rewards[epoch - 1], step=epoch)
            self.stop[place] = trial.should_prune()
        self.rewards[place] = rewards

    def end(self, place: int, arm: ArmHistory) -> None:
        """That the trial is over, if it was not known."""
        if self.over[place]:
            return
        self.over[place] = True
        if arm.status == "failed" or not (arm.rewards or arm.status == "cut"):
            self.study.tell(self.trials[place], state=TrialState.FAIL)
        elif arm.status == "cut" or self.stop[place]:
            self.study.tell(self.trials[place], state=TrialState.PRUNED)
        else:
            self.study.tell(self.trials[place], arm.rewards[-1])

    def leads_to(self, history: History) -> bool:
        """Whether what is new was all heard after what is known, so that order is kept."""
        latest = max((i for i, seen in enumerate(self.rewards) if seen), default=0)
        for place, (name, seen) in enumerate(zip(self.names, self.rewards, strict=True)):
            if place >= len(history.arms):
                return False
            arm = history.arms[place]
            if arm.name != name or arm.rewards[: len(seen)] != seen:
                return False
            if place < latest and (arm.epochs > len(seen) or not self.over[place]):
                return False
            if self.over[place] and not is_over(history, arm):
                return False
        return True


def is_over(history: History, arm: ArmHistory) -> bool:
    """Whether a trial has ended: closed, or at its cap; what is in flight still comes."""
    return not arm.pending and (arm.status != "open" or arm.epochs >= history.cap(arm))


@dataclass(frozen=True)
class PrunerPolicy:
    """Trains trial by trial, each until the pruner stops it or it is at its cap.

    With W workers W trials are under way. The pruner is asked after each pull of a trial and sees
    all that the others reported; what is pruned is cut for good. Where arms join during the
    search, one does as soon as another has ended.

    With one worker this is what ``study.optimize`` does. With several, the order in which epochs
    of different trials ended is not part of a history; they count in the order of joining, but
    for the latest one of each trial under way.

    Args:
        name: of the pruner, in words; ``values`` and ``options`` are its arguments.
        chunk: epochs per pull, after each of which the pruner is asked.

    Raises:
        InputError: ``chunk`` is out of its range.
    """

    name: str = "median"
    values: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    chunk: int = 1
    # What was told last, so that a study need not be made anew for each epoch.
    _memory: dict[str, _Told] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_integer(1, chunk=self.chunk)

    def opening(
        self, history: History, groups: Sequence[str], rng: np.random.Generator
    ) -> Opening | None:
        """One for each worker that has no trial under way."""
        going = len(self._going(history, self._pruned(history)))
        if going >= history.budget.workers or epochs_left(history) < 1:
            return None
        return Opening(smallest_group(history, groups), f"{going} trials under way")

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Go on with a trial, or begin the next in order."""
        pruned = self._pruned(history)
        cut = {name: f"pruned by {self.name} at epoch {n}" for name, n in pruned.items()}
        able = {arm.name for arm in history.candidates}
        for arm in self._going(history, pruned):
            if arm.name in able:
                verb = "goes on" if arm.epochs else "begins"
                reason = f"{verb}, epoch {arm.epochs + 1}: {self.name} stops nothing else"
                return Decision(arm.name, reason, self.chunk, cut)
        waits = any(arm.pending for arm in history.arms)
        why = "waiting for trials in flight" if waits else "every trial has ended"
        return Decision(None, why, cut=cut)

    def _going(self, history: History, pruned: dict[str, int]) -> list[ArmHistory]:
        """Trials that have not ended, in the order of joining."""
        return [
            arm
            for arm in history.arms
            if arm.status == "open" and not is_over(history, arm) and arm.name not in pruned
        ]

    def _pruned(self, history: History) -> dict[str, int]:
        """Open trials that the pruner stops where they are, with their epochs."""
        told = self._memory.get("told")
        if told is None or not told.leads_to(history):
            told = _Told(self._study())
        with quiet():
            under_way = _tell(told, history)
        self._memory.pop("told", None)
        if under_way <= 1:  # else the order was not that of joining
            self._memory["told"] = told
        return {
            arm.name: arm.epochs
            for arm, stop in zip(history.arms, told.stop, strict=True)
            if stop and arm.status == "open" and not arm.pending and not is_over(history, arm)
        }

    def _study(self) -> Study:
        pruner = make_pruner(self.name, *self.values, **dict(self.options))
        with quiet():
            return optuna.create_study(
                storage=InMemoryStorage(), study_name=STUDY, direction="maximize", pruner=pruner
            )


def _tell(told: _Told, history: History) -> int:
    """Tell the study what it does not know; how many trials with rewards are under way."""
    told.join(history.arms)
    last: list[int] = []
    for place, arm in enumerate(history.arms):
        if is_over(history, arm):
            told.report(place, arm.rewards)
            told.end(place, arm)
        elif arm.rewards:
            told.report(place, arm.rewards[:-1])
            last.append(place)
    for place in last:
        told.report(place, history.arms[place].rewards)
    return len(last)
