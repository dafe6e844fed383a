"""The next proposal: a pure function of the space, the seed and what the ledger says so far.

The study that a sampler looks at lives in memory and is made from the state, so that a resumed
search proposes what the undisturbed one would have. What a storage holds is a mirror of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler

from vaesearch import catalogue
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.points import count, points
from vaesearch.search.tuning.quiet import quiet
from vaesearch.search.tuning.samplers import Recipe
from vaesearch.search.tuning.suggesting import ask, distribution
from vaesearch.search.tuning.templates import Attributes, Templates
from vaesearch.search.tuning.told import Told, for_group, projected, told
from vaesearch.seeding import derive, numpy_generator
from vaesearch.space import Space, Value

__all__ = ["Memory", "Proposal", "Proposer", "ask", "distribution"]

DRAWS = 5  # of a sampler, before values that were proposed before are taken for its last word
RANDOM_DRAWS = 200


@dataclass(frozen=True)
class Memory:
    """What a stateful sampler wrote down at earlier proposals, by trial and by group."""

    trials: Mapping[int, Attributes] = field(default_factory=dict)
    groups: Mapping[str, Attributes] = field(default_factory=dict)

    def plus(self, number: int, group: str, proposal: "Proposal") -> "Memory":
        """With what it wrote down at one more."""
        return Memory(
            {**self.trials, number: proposal.trial}, {**self.groups, group: proposal.group}
        )


@dataclass(frozen=True)
class Proposal:
    """Values, and what a stateful sampler wrote down beside them."""

    values: dict[str, Value]
    trial: Attributes = field(default_factory=dict)
    group: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Proposer:
    """Who proposes.

    Attributes:
        space: to draw from.
        sampler: a catalogue spec.
        seed: of the search.
        objectives: to optimise.
        reward: by which arms are compared.
    """

    space: Space
    sampler: str
    seed: int
    objectives: tuple[str, ...] = ("bpd",)
    reward: str = "bpd"

    @cached_property
    def recipe(self) -> Recipe:
        """The sampler, to be made for each proposal; InputError if it cannot be."""
        made: Recipe = catalogue.build("samplers", self.sampler, space=self.space, seed=self.seed)
        return made

    @cached_property
    def size(self) -> int | None:
        """How many proposals there are for each group; None for more than can be told."""
        return len(self.recipe.fixed) if self.recipe.make is None else count(self.space)

    def exhausted(self, state: SearchState, group: str = "") -> bool:
        """Whether everything has been proposed for ``group``."""
        if self.size is None:
            return False
        before = taken(state, group)
        if self.recipe.make is None:
            return all(_key(p) in before for p in self.recipe.fixed)
        return len(before) >= self.size

    def propose(
        self, state: SearchState, group: str = "", memory: Memory | None = None
    ) -> Proposal:
        """Values for the next trial, which nobody proposed for its group before.

        Args:
            state: what is known of the trials before; not :meth:`exhausted`.
            group: that the proposal is for.
            memory: of a stateful sampler.
        """
        before = taken(state, group)
        if self.recipe.make is None:
            return Proposal(next(p for p in self.recipe.fixed if _key(p) not in before))
        trials = self._trials(state, group)
        number = state.trials
        for draw in range(DRAWS):
            path = (draw,) if draw else ()
            seed = derive(self.seed, "proposal", number, *path) % 2**32
            proposal = self._drawn(self.recipe.make, seed, trials, group, memory or Memory())
            if _key(proposal.values) not in before:
                return proposal
        return self._left_over(before, number) or proposal

    def _trials(self, state: SearchState, group: str) -> list[Told]:
        """What the sampler is told."""
        trials = told(state, self.objectives)
        if self.objectives == (self.reward,) and self.recipe.told == "projected":
            trials = projected(trials, state)
        # The state of a stateful sampler is that of one group.
        enough = 0 if self.recipe.stateful else self.recipe.startup
        return for_group(trials, group, enough)

    def _drawn(
        self,
        make: Callable[[int], BaseSampler],
        seed: int,
        trials: Sequence[Told],
        group: str,
        memory: Memory,
    ) -> Proposal:
        with quiet():
            study = optuna.create_study(
                sampler=make(seed), directions=["maximize"] * len(self.objectives)
            )
            for name, value in memory.groups.get(group, {}).items():
                study._storage.set_study_system_attr(study._study_id, name, value)
            study.add_trials(self._templates.of(trials, memory.trials))
            trial = study.ask()
            values = ask(trial, self.space)
        if not self.recipe.stateful:
            return Proposal(values)
        beside = study._storage.get_study_system_attrs(study._study_id)
        return Proposal(values, study.trials[-1].system_attrs, beside)

    @cached_property
    def _templates(self) -> Templates:
        return Templates({p.name: distribution(p) for p in self.space.parameters}, self.recipe)

    def _left_over(self, before: set[Any], number: int) -> Proposal | None:
        """A point at random among those that are left; None where none was found."""
        if self.size is not None:
            left = [p for p in points(self.space) if _key(p) not in before]
            pick = numpy_generator(self.seed, "proposal", number, "left").integers(len(left))
            return Proposal(left[pick])
        sampler = RandomSampler(seed=derive(self.seed, "proposal", number, "random") % 2**32)
        with quiet():
            study = optuna.create_study(sampler=sampler)
            for _ in range(RANDOM_DRAWS):
                values = ask(study.ask(), self.space)
                if _key(values) not in before:
                    return Proposal(values)
        return None


def taken(state: SearchState, group: str) -> set[Any]:
    """The points that were proposed for ``group``, here or in a search that this one knows."""
    arms = [a.values for name, a in state.arms.items()
            if a.trial is not None and state.history.arm(name).group == group]  # fmt: skip
    refused = [t.values for t in state.refused if t.group == group]
    known = [t.values for t in state.known if t.group == group]
    return set(map(_key, [*arms, *refused, *known]))


def _key(values: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(values.items()))
