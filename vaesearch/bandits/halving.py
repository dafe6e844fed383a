"""Successive halving: equal shares in rounds, and after each round only the better part goes on.

A round is not stored anywhere: it follows from the history. The arms cut so far tell at which
epoch the round began (they were cut there), the open arms tell how many rounds are to come, and
what the others have spent tells what is left to share. So a failed arm's share, a remainder of a
division and an arm that joins late need no case of their own.

What every policy that rejects arms needs is here too: what the budget comes to in epochs, how
much of it an arm can use, and how many arms it takes to use all of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

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


def room(history: History, arm: ArmHistory) -> float:
    """How many more epochs ``arm`` alone could use: bounded by its cap, the budget, the clock."""
    more = min(history.cap(arm) - arm.epochs - arm.pending, history.epochs_left)
    if arm.cost:
        more = min(more, history.seconds_left / arm.cost - arm.pending)
    return more if more >= 1 else 0.0


def needed(history: History, order: Sequence[ArmHistory]) -> int:
    """How many of the first arms of ``order`` it takes to use all that is left of the budget.

    Mostly one. More where the best arms are near their caps, or where, in a search that counts
    seconds, each worker needs an arm of its own. To cut deeper would leave budget unused.
    """
    rooms = [room(history, arm) for arm in order]
    if not any(rooms):
        return 0
    flying = history.pending
    left = epochs_affordable(history) - history.spent - flying
    used = 0.0
    for count, more in enumerate(rooms, start=1):
        used += more
        # At least one that can go on, whatever the estimate in epochs of the seconds left.
        if used and (math.isinf(more) or left - used < 1):
            return count
    return len(order)


def unfinished(history: History, target: float) -> list[ArmHistory]:
    """Open arms on their way to ``target``: in flight, or to be pulled.

    An arm at its own cap is as far as it gets, and so is one whose next epoch would take longer
    than the seconds left; nobody waits for them.
    """
    able = {a.name for a in history.candidates}
    return [
        a
        for a in history.arms
        if a.status == "open" and a.epochs < target and (a.pending or a.name in able)
    ]


def pull_towards(
    history: History, target: int, chunk: int, cuts: dict[str, str], rounds: int
) -> Decision:
    """Pull the least far arm that is not yet at ``target``, or wait for those in flight.

    Once all are there and yet nobody was cut, because the best alone could not use what is left
    of the budget, all go on at equal pace.
    """
    arms = sum(a.status == "open" for a in history.arms)
    if not history.candidates and not any(a.pending for a in history.arms):
        return Decision(None, "the last arm has all it can get", cut=cuts)
    if arms == 1 and history.candidates:
        return Decision(history.candidates[0].name, "the last arm left gets the rest", chunk, cuts)
    members = unfinished(history, target)
    free = [a for a in members if not a.pending]
    if free:
        arm = fewest_epochs(free)
        reason = f"{arms} arms to epoch {target}, {rounds} rounds left"
        return Decision(arm.name, reason, min(chunk, target - arm.epochs), cuts)
    if members or not history.candidates:
        return Decision(None, f"waiting for the rest of {arms} arms", cut=cuts)
    arm = fewest_epochs(history.candidates)
    return Decision(arm.name, f"budget enough for all {arms} arms that are left", chunk, cuts)


def level(share: float, starts: Sequence[int], caps: Sequence[float]) -> int:
    """The highest epoch to which ``share`` epochs can lift all arms from where they start.

    Args:
        share: epochs to give out, finite.
        starts: where the arms are; one that is higher already takes nothing.
        caps: where they stop.

    >>> level(10, [0, 0, 0], [9, 2, 9])
    4
    """
    below, above = np.asarray(starts, dtype=float), np.asarray(caps, dtype=float)
    low, high = 0, int(min(max(above), max(below) + max(share, 0)))
    while low < high:
        middle = (low + high + 1) // 2
        fits = float(np.sum(np.maximum(np.minimum(above, middle) - below, 0))) <= share
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def current_round(history: History, eta: int) -> Round:
    """The round that follows from the history.

    With ℓ the epoch of the last cut, m open arms, ρ rounds to come and M epochs that neither
    closed arms nor earlier rounds have used, every open arm goes on to epoch ℓ + ⌊M / (ρ m)⌋
    (at least one more), or to its own cap; what an arm at its cap leaves goes to the others.
    Remainders thus pass to later rounds, and the last to the survivor.
    """
    arms = [a for a in history.arms if a.status == "open"]
    start = max((a.epochs for a in history.arms if a.status == "cut"), default=0)
    left = rounds_to_one(len(arms), eta)
    at_start = [min(a.epochs, start) for a in arms]
    closed = sum(a.epochs + a.pending for a in history.arms if a.status != "open")
    share = (epochs_affordable(history) - closed - sum(at_start)) / max(left, 1)
    caps = [history.cap(a) for a in arms]
    target = level(share, at_start, caps) if math.isfinite(share) else 0
    going = [epoch for epoch, cap in zip(at_start, caps, strict=True) if epoch < cap]
    return Round(max(target, min(going, default=start) + 1), left)


def ranked(arms: Sequence[ArmHistory], target: int) -> list[ArmHistory]:
    """The arms by their best reward up to epoch ``target``, best first, ties by name."""
    return sorted(arms, key=lambda arm: (-best_until(arm, target), arm.name))


def best_until(arm: ArmHistory, target: int) -> float:
    """The best reward up to epoch ``target``; -inf before any."""
    return max(arm.rewards[:target], default=-math.inf)


@dataclass(frozen=True)
class SuccessiveHalvingPolicy:
    """Successive halving: a round of equal shares, then the better 1/η go on, until one is left.

    The budget is split evenly over the ⌈log_η K⌉ rounds and, within one, over its arms. Arms are
    ranked on their best reward up to the end of the round; ⌈m/η⌉ of m arms stay (of equals those
    first by name). The whole budget is spent: see :func:`current_round`. The share of a failed
    arm goes to the others. A round waits for its last member, but not for an arm that is at its
    cap. More arms stay where it takes more to use what is left of the budget: see :func:`needed`.

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
    _score: ClassVar[str] = "best reward"

    def __post_init__(self) -> None:
        check_integer(2, eta=self.eta)
        check_integer(1, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Pull the least far member of the round, after closing rounds that are complete."""
        cuts: dict[str, str] = {}
        now = current_round(history, self.eta)
        while losers := self._losers(history, now.target):
            cuts |= losers
            for name in losers:
                history = history.closed(name, "cut")
            now = current_round(history, self.eta)
        return pull_towards(history, now.target, self.chunk, cuts, now.left)

    def _losers(self, history: History, target: int) -> dict[str, str]:
        """The arms that a round to ``target`` leaves behind once complete, with reasons."""
        arms = [a for a in history.arms if a.status == "open"]
        if len(arms) < 2 or unfinished(history, target):
            return {}
        roomiest = sorted(arms, key=lambda arm: -room(history, arm))
        if needed(history, roomiest) == len(arms):
            return {}  # whatever the ranking, so there is no need of one
        scores = self._scores(history, target)
        order = sorted(arms, key=lambda arm: (-scores[arm.name], arm.name))
        keep = max(-(-len(arms) // self.eta), needed(history, order))
        bar = scores[order[keep - 1].name]
        return {
            arm.name: f"place {place} of {len(arms)} at epoch {target}: "
            f"{self._score} {scores[arm.name]:.4g}, the last kept has {bar:.4g}"
            for place, arm in enumerate(order[keep:], start=keep + 1)
        }

    def _scores(self, history: History, target: int) -> dict[str, float]:
        """What the open arms are ranked by at the end of a round, best highest."""
        return {a.name: best_until(a, target) for a in history.arms if a.status == "open"}
