"""Successive halving: equal shares in rounds, and after each round only the better part goes on.

A round is not stored anywhere: it follows from the history. The arms cut so far tell at which
epoch the round began (they were cut there), the open arms tell how many rounds are to come, and
what the others have spent tells what is left to share. So a failed arm's share, a remainder of a
division and an arm that joins late need no case of their own.
"""

import math
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import check_integer, fewest_epochs
from vaesearch.bandits.core import ArmHistory, Decision, History


@dataclass(frozen=True)
class Round:
    """The round that a history is in.

    Attributes:
        target: the epoch that every open arm is to reach before they are compared.
        left: rounds to come, this one included; 0 when a single arm is left.
    """

    target: int
    left: int


def rounds_to_one(arms: int, eta: int) -> int:
    """How many rounds bring ``arms`` down to one, keeping ceil(arms / eta) in each.

    >>> [rounds_to_one(arms, 2) for arms in (1, 2, 3, 4, 5, 8, 9)]
    [0, 1, 2, 2, 3, 3, 4]
    """
    rounds = 0
    while arms > 1:
        arms = -(-arms // eta)
        rounds += 1
    return rounds


def epochs_affordable(history: History) -> float:
    """The whole budget in epochs, those already spent included; infinite if not known yet.

    With a budget in seconds, it is what the open arms can still run side by side at their mean
    cost per epoch. Rounds thus stay equal in epochs, so that arms are compared at the same
    epoch, and slow arms use more of the clock.
    """
    total = math.inf if history.budget.epochs is None else float(history.budget.epochs)
    if history.budget.seconds is not None:
        costs = [c for a in history.arms if a.status == "open" and (c := a.cost)]
        if costs:
            slots = min(history.budget.workers, sum(a.status == "open" for a in history.arms))
            more = max(0.0, history.seconds_left) * slots / float(np.mean(costs))
            total = min(total, history.spent + more)
    return total


def current_round(history: History, eta: int) -> Round:
    """The round that follows from the history.

    With ℓ the epoch of the last cut, m open arms, ρ rounds to come and M epochs that neither
    closed arms nor earlier rounds have used, every open arm goes on to epoch ℓ + ⌊M / (ρ m)⌋
    (at least one more). Remainders thus pass to later rounds, and the last to the survivor.
    """
    arms = [a for a in history.arms if a.status == "open"]
    start = max((a.epochs for a in history.arms if a.status == "cut"), default=0)
    left = rounds_to_one(len(arms), eta)
    at_start = [min(a.epochs, start) for a in arms]
    closed = history.spent - sum(a.epochs for a in arms)
    share = (epochs_affordable(history) - closed - sum(at_start)) / max(left, 1)
    target = (share + sum(at_start)) / len(arms) if math.isfinite(share) else 0.0
    target = max(int(target), min(at_start) + 1)
    return Round(target if history.budget.cap is None else min(target, history.budget.cap), left)


def ranked(arms: list[ArmHistory], target: int) -> list[ArmHistory]:
    """The arms by their best reward up to epoch ``target``, best first, ties by name."""
    return sorted(arms, key=lambda arm: (-max(arm.rewards[:target]), arm.name))


@dataclass(frozen=True)
class SuccessiveHalvingPolicy:
    """Successive halving: a round of equal shares, then the better 1/η go on, until one is left.

    The budget is split evenly over the ⌈log_η K⌉ rounds and, within one, over its arms. Arms are
    ranked on their best reward up to the end of the round; ⌈m/η⌉ of m arms stay (of equals those
    first by name). The whole budget is spent: see :func:`current_round`. The share of a failed
    arm goes to the others. A round waits for its last member. With a cap, arms stop there; the
    search ends when only arms at the cap are left.

    Assumes only that curves converge; it needs no model, but compares arms at equal epochs, so
    a late bloomer that is behind at the end of the first round is lost.

    Papers: Karnin, Koren & Somekh, "Almost optimal exploration in multi-armed bandits", ICML
    2013; Jamieson & Talwalkar, "Non-stochastic best arm identification", AISTATS 2016.

    Args:
        eta: one in how many arms survives a round.
        chunk: epochs per pull; the last pull of a round is shorter where needed.

    Raises:
        InputError: a constant is out of its range.
    """

    eta: int = 2
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(2, eta=self.eta)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the least far member of the round, after closing rounds that are complete."""
        cuts: dict[str, str] = {}
        while losers := self._losers(history):
            cuts |= losers
            for name in losers:
                history = history.closed(name, "cut")
        return self._next_pull(history, cuts)

    def _losers(self, history: History) -> dict[str, str]:
        """The arms that a complete round leaves behind, with reasons; empty otherwise."""
        arms = [a for a in history.arms if a.status == "open"]
        target = current_round(history, self.eta).target
        if len(arms) < 2 or any(a.epochs < target for a in arms):
            return {}
        order = ranked(arms, target)
        keep = -(-len(arms) // self.eta)
        bar = max(order[keep - 1].rewards[:target])
        return {
            arm.name: f"place {place} of {len(arms)} at epoch {target}: "
            f"{max(arm.rewards[:target]):.4g}, the last kept has {bar:.4g}"
            for place, arm in enumerate(order[keep:], start=keep + 1)
        }

    def _next_pull(self, history: History, cuts: dict[str, str]) -> Decision:
        now = current_round(history, self.eta)
        arms = sum(a.status == "open" for a in history.arms)
        if now.left == 0:
            if not history.candidates:
                return Decision(None, "the last arm has all it can get", cut=cuts)
            arm = history.candidates[0]
            return Decision(arm.name, "the last arm left gets the rest", self.chunk, cuts)
        members = [a for a in history.candidates if a.epochs < now.target]
        if not members:
            return Decision(None, f"waiting for the rest of {arms} arms", cut=cuts)
        arm = fewest_epochs(members)
        reason = f"{arms} arms to epoch {now.target}, {now.left} rounds left"
        return Decision(arm.name, reason, min(self.chunk, now.target - arm.epochs), cuts)
