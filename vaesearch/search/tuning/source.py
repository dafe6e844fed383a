"""Arms proposed by a sampler, whenever the policy has room for one more."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vaesearch.bandits.core import Budget, Policy
from vaesearch.bandits.opening import LiveSet, Opener, Opening, smallest_group
from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.events import (
    ArmAdded,
    Event,
    SearchResumed,
    SearchStarted,
    TrialKnown,
    TrialRefused,
)
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.arms import Joining
from vaesearch.search.state import ArmState, SearchState, advance, fold
from vaesearch.search.tuning.constraints import (
    BrokenConstraintError,
    Constraint,
    check,
    why_all_refused,
)
from vaesearch.search.tuning.known import missing
from vaesearch.search.tuning.proposals import Memory, Proposer
from vaesearch.search.tuning.views import make_view
from vaesearch.seeding import numpy_generator
from vaesearch.space import Value

MOST_REFUSED = 100  # of a group, in a row


@dataclass(frozen=True)
class Admission:
    """Who may join.

    Attributes:
        admit: the opening line of an arm, or an InputError if it cannot be trained.
        constraints: on what it may cost.
        seconds: that an epoch of it takes.
    """

    admit: Callable[[Arm], ArmAdded]
    constraints: tuple[Constraint, ...] = ()
    seconds: Callable[[TrialSettings], float] = lambda settings: 0.0

    def line(self, arm: Arm) -> ArmAdded:
        """The opening line of ``arm``; InputError if it may not join."""
        added = self.admit(arm)
        check(self.constraints, added, self.seconds)
        return added


@dataclass(frozen=True)
class First:
    """What comes before the sampler's own proposals.

    Attributes:
        known: trials of earlier searches.
        enqueued: points that are proposed first in every group.
    """

    known: Sequence[TrialKnown] = ()
    enqueued: Sequence[dict[str, Value]] = field(default_factory=list)


class TrialSource:
    """The source of a search that is tuned; a pure function of the state.

    What a stateful sampler wrote down at its proposals is no part of the state: it is drawn again
    from ``events`` and then kept up.

    Args:
        config: resolved.
        proposer: who proposes.
        policy: decides when an arm joins, if it can; else a :class:`LiveSet` does.
        admission: who may join.
        first: what comes first.
        events: of the search so far.
    """

    def __init__(
        self,
        config: TuneConfig,
        proposer: Proposer,
        policy: Policy,
        admission: Admission,
        first: First | None = None,
        events: Iterable[Event] = (),
    ) -> None:
        self._config = config
        self._proposer = proposer
        self._groups = config.groups()
        self._opener = policy if isinstance(policy, Opener) else LiveSet(config.live)
        self._view = make_view(config.objective)
        self._admission = admission
        self._first = first or First()
        self._memory = self._remembered(events) if proposer.recipe.stateful else Memory()

    def next_arms(self, state: SearchState) -> Sequence[Joining]:
        """One arm, if there is room for it, after the proposals that were refused on the way."""
        joining: list[Joining] = []
        # What was cut is replaced after the decision that it was cut for, if there is one to come.
        if state.deciding and (state.history.candidates or state.flights):
            return joining
        for known in missing(self._first.known, state):
            joining.append(known)
            state = advance(state, known)
        event: Joining | None = TrialRefused(-1, {}, "", "")
        while isinstance(event, TrialRefused):
            event = self._next(state)
            if event is not None:
                joining.append(event)
                state = advance(state, event)
        return joining

    @property
    def live(self) -> int | None:
        """How many arms are kept open at most; None where the policy decides."""
        return self._opener.live if isinstance(self._opener, LiveSet) else None

    def closed(self, state: SearchState) -> str | None:
        """Why no arm will join any more; None while one may."""
        if _lost(state) is not None:
            return None
        trials = self._config.trials or 0
        if sum(a.trial is not None and a.again is None for a in state.arms.values()) >= trials:
            return f"all {trials} trials were proposed"
        if self._open_groups(state):
            return None
        refused = [r for group in self._groups for r in _refused_in_a_row(state, group)]
        if len(refused) >= MOST_REFUSED:
            excesses = [r.excess for r in refused]
            return why_all_refused(self._admission.constraints, excesses, refused[-1].reason)
        return f"all {self._proposer.size} points of the space were proposed"

    def _next(self, state: SearchState) -> ArmAdded | TrialRefused | None:
        """The next proposal, if there is room for it."""
        if self.closed(state) is not None:
            return None
        lost = _lost(state)
        groups = list(self._groups) if lost else self._open_groups(state)
        if len(self._config.objective) > 1:  # ranks say nothing of what a group will reach
            groups = [smallest_group(state.history, groups)]
        rng = numpy_generator(self._config.seed, "opening", state.trials, state.history.decisions)
        opening = self._opener.opening(self._view(state.history, state), groups, rng)
        if opening is None:
            return None
        if lost is not None:
            group = state.history.arm(lost.arm.name).group
            return self._offered(state, group, dict(lost.values), lost.trial)
        return self._proposed(state, opening)

    def _proposed(self, state: SearchState, opening: Opening) -> ArmAdded | TrialRefused:
        group = opening.group
        place = _proposed_for(state, group)
        if place < len(self._first.enqueued):
            return self._offered(state, group, dict(self._first.enqueued[place]))
        proposal = self._proposer.propose(state, group, self._memory)
        self._memory = self._memory.plus(state.trials, group, proposal)
        return self._offered(state, group, proposal.values)

    def _offered(
        self, state: SearchState, group: str, values: dict[str, Value], again: int | None = None
    ) -> ArmAdded | TrialRefused:
        """The line of a trial with these values."""
        number = state.trials
        stem = group if len(self._groups) > 1 else "trial"
        arm = Arm(f"{stem}-{number:03d}", self._settings(group, values))
        try:
            # One that was lost was admitted once; to measure it again might refuse it for ever.
            added = self._admission.line(arm) if again is None else self._admission.admit(arm)
        except InputError as error:
            excess = error.excess if isinstance(error, BrokenConstraintError) else {}
            return TrialRefused(number, values, group, str(error), excess)
        return replace(added, trial=number, values=values, group=group, again=again)

    def _settings(self, group: str, values: dict[str, Value]) -> TrialSettings:
        encoder, decoder = self._groups[group]
        options: dict[str, Any] = dict(self._proposer.space.options(values))
        return replace(self._config.settings(encoder, decoder), **options)

    def _open_groups(self, state: SearchState) -> list[str]:
        """Groups for which there is something left to propose that may be accepted."""
        return [
            group
            for group in self._groups
            if len(_refused_in_a_row(state, group)) < MOST_REFUSED
            and (
                _proposed_for(state, group) < len(self._first.enqueued)
                or not self._proposer.exhausted(state, group)
            )
        ]

    def _remembered(self, events: Iterable[Event]) -> Memory:
        """What the sampler wrote down when it made the proposals of ``events``."""
        memory, state = Memory(), fold((), Budget())
        for event in events:
            if isinstance(event, (ArmAdded, TrialRefused)) and self._was_drawn(event, state):
                proposal = self._proposer.propose(state, event.group, memory)
                memory = memory.plus(state.trials, event.group, proposal)
            state = advance(state, event)
            if isinstance(event, (SearchStarted, SearchResumed)):
                budget = Budget(cap=state.config.get("max_epochs_per_arm"))
                state = replace(state, history=replace(state.history, budget=budget))
        return memory

    def _was_drawn(self, event: ArmAdded | TrialRefused, state: SearchState) -> bool:
        """Whether a line of the ledger is of the sampler's own proposals."""
        repeats = isinstance(event, ArmAdded) and event.again is not None
        first = _proposed_for(state, event.group) < len(self._first.enqueued)
        return event.trial is not None and not repeats and not first


def _proposed_for(state: SearchState, group: str) -> int:
    """How many proposals there were for ``group``, repetitions left out."""
    arms = sum(
        arm.trial is not None and arm.again is None and state.history.arm(name).group == group
        for name, arm in state.arms.items()
    )
    return arms + sum(refused.group == group for refused in state.refused)


def _refused_in_a_row(state: SearchState, group: str) -> list[TrialRefused]:
    """The proposals for ``group`` that were refused since one was accepted."""
    numbers = (
        arm.trial
        for name, arm in state.arms.items()
        if arm.trial is not None and state.history.arm(name).group == group
    )
    latest = max(numbers, default=-1)
    return [r for r in state.refused if r.group == group and r.trial > latest]


def _lost(state: SearchState) -> ArmState | None:
    """A trial that failed because its workers died and was not repeated yet."""
    repeated = {arm.again for arm in state.arms.values()}
    lost = (arm for arm in state.arms.values() if arm.lost and arm.again is None)
    return next((a for a in lost if a.trial is not None and a.trial not in repeated), None)
