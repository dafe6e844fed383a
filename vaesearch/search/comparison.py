"""Several policies on the same recorded curves with the same budget, and an oracle."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from vaesearch import catalogue
from vaesearch.bandits.core import Budget, Decision, History, Policy
from vaesearch.errors import PolicyError
from vaesearch.events import Event
from vaesearch.recordings import Curve
from vaesearch.search.instances import Instance
from vaesearch.search.outcomes import OracleOutcome, Outcome
from vaesearch.search.regret import Step, Trace, oracle
from vaesearch.search.replays import cut_short, replay, trace_of

ORACLE = "oracle"
UNIFORM = "uniform"


def outcomes(
    policy: str,
    instances: Sequence[Instance],
    budget: Budget,
    seeds: Sequence[int],
    *,
    chunk: int = 1,
    overhead: Mapping[str, float] | None = None,
) -> tuple[Outcome, ...]:
    """Replay ``policy`` on every instance with every policy seed.

    A policy that drew no random number is not replayed again: it would do the same.

    ``chunk`` is the least number of epochs per pull, ``overhead`` what a pull of an arm takes
    beyond its epochs, in seconds.

    Raises:
        InputError: no such policy.
        PolicyError: a policy of the user's own decided what is not allowed.
    """
    done = []
    for instance in instances:
        for seed in seeds:
            watched = _watched(catalogue.build("policies", policy))
            try:
                outcome = _replay(watched, instance, budget, seed, chunk, overhead or {})
            except PolicyError as error:
                fault, *_ = str(error).splitlines()  # the rest is about going on with a search
                raise PolicyError(f"{fault} (replayed on seed {instance.seed})") from error
            done.append(outcome if watched.random else replace(outcome, policy_seed=None))
            if not watched.random:
                break
    return tuple(done)


def oracle_outcomes(instances: Sequence[Instance], budget: Budget) -> tuple[OracleOutcome, ...]:
    """What training the right arm and nothing else comes to."""
    return tuple(_oracle(instance, budget) for instance in instances)


def _oracle(instance: Instance, budget: Budget) -> OracleOutcome:
    reach = {name: _affordable(curve, budget) for name, curve in instance.curves.items()}
    rewards = {name: instance.rewards[name][:epochs] for name, epochs in reach.items()}
    if not any(rewards.values()):
        return OracleOutcome(instance, None, Trace(()), {})
    best = oracle(rewards)
    seconds = np.cumsum(instance.curves[best.arm].seconds)
    steps = tuple(
        Step(epoch, best.arm, epoch, reward, float(seconds[epoch - 1]))
        for epoch, reward in enumerate(rewards[best.arm][: best.epoch], start=1)
    )
    return OracleOutcome(instance, None, Trace(steps), {})


def _affordable(curve: Curve, budget: Budget) -> int:
    """Recorded epochs of an arm that the whole budget pays for."""
    limits = [len(curve.valid), budget.epochs, budget.cap]
    if budget.seconds is not None:
        limits.append(int((np.cumsum(curve.seconds) <= budget.seconds).sum()))
    return min(limit for limit in limits if limit is not None)


def _replay(
    policy: Policy,
    instance: Instance,
    budget: Budget,
    seed: int,
    chunk: int,
    overhead: Mapping[str, float],
) -> Outcome:
    events: list[Event] = []
    replay(
        instance.recording, instance.curves, policy, instance.budget(budget),
        seed=seed, announced=False, chunk=chunk, overhead=overhead,
        observers=(lambda event, _: events.append(event),),
    )  # fmt: skip
    ends = {name: len(instance.curves[name].valid) for name in cut_short(events)}
    return Outcome(instance, seed, trace_of(events), ends)


class _Watched:
    """A policy, and whether it has drawn a random number."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.random = False

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """The policy's decision."""
        before = rng.bit_generator.state
        decision = self._policy.choose(history, rng)
        self.random = self.random or rng.bit_generator.state != before
        return decision


def _watched(policy: Policy) -> _Watched:
    """The policy inside a watch that goes by its name, which is what errors show."""
    watch: type[_Watched] = type(type(policy).__qualname__, (_Watched,), {})
    return watch(policy)
