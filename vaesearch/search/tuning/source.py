"""Arms proposed by a sampler, whenever the policy has room for one more."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from vaesearch.bandits.core import Policy
from vaesearch.bandits.opening import LiveSet, Opener, Opening
from vaesearch.config import TuneConfig
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded, TrialRefused
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.arms import Joining
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.proposals import propose
from vaesearch.search.tuning.views import make_view
from vaesearch.seeding import numpy_generator
from vaesearch.space import Space, Value

Admit = Callable[[Arm], ArmAdded]


class TrialSource:
    """The source of a search that is tuned; a pure function of the state.

    Args:
        config: resolved.
        space: to propose from.
        policy: decides when an arm joins, if it can; else a :class:`LiveSet` does.
        admit: the opening line of an arm, or an InputError if it cannot be trained.
    """

    def __init__(self, config: TuneConfig, space: Space, policy: Policy, admit: Admit) -> None:
        self._config = config
        self._space = space
        self._groups = config.groups()
        self._opener = policy if isinstance(policy, Opener) else LiveSet(config.live)
        self._admit = admit
        self._view = make_view(config.objective)

    def next_arms(self, state: SearchState) -> Sequence[Joining]:
        """One arm, if there is room for it."""
        trained = sum(arm.trial is not None for arm in state.arms.values())
        if trained >= (self._config.trials or 0):
            return []
        history = state.history
        rng = numpy_generator(self._config.seed, "opening", state.trials, history.decisions)
        opening = self._opener.opening(self._view(history, state), list(self._groups), rng)
        return [] if opening is None else [self._proposed(state, opening)]

    def _proposed(self, state: SearchState, opening: Opening) -> Joining:
        values = propose(self._space, self._config.sampler, self._config.seed, state)
        number = state.trials
        stem = opening.group if len(self._groups) > 1 else "trial"
        arm = Arm(f"{stem}-{number:03d}", self._settings(opening.group, values))
        try:
            added = self._admit(arm)
        except InputError as error:
            return TrialRefused(number, values, opening.group, str(error))
        return replace(added, trial=number, values=values, group=opening.group)

    def _settings(self, group: str, values: dict[str, Value]) -> TrialSettings:
        encoder, decoder = self._groups[group]
        options: dict[str, Any] = dict(self._space.options(values))
        return replace(self._config.settings(encoder, decoder), **options)
