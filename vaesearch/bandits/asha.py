"""Asynchronous successive halving: promote as soon as a rung allows it, wait for nobody."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import check_integer, fewest_epochs
from vaesearch.bandits.core import ArmHistory, Decision, History
from vaesearch.bandits.groups import next_group, probed
from vaesearch.bandits.halving import best_until, epochs_affordable, ranked
from vaesearch.bandits.opening import Opening, worth_opening


def first_rung(history: History, eta: int) -> int:
    """The r with which the budget is just enough to promote one in η up to the last rung.

    K arms to r, and in each of the ⌊log_η K⌋ promotions a share K / η^k of them from r η^(k-1)
    to r η^k: about K r (1 + ⌊log_η K⌋ (1 - 1/η)) epochs. 1 while the budget is not known, and
    where arms join without end.
    """
    if history.budget.trials is not None:
        return 1  # one more look is cheaper than to know how many there will be
    arms = len(history.arms)
    promotions = 0
    while eta ** (promotions + 1) <= arms:
        promotions += 1
    total = epochs_affordable(history)
    if not math.isfinite(total):
        return 1
    return max(1, int(total / (arms * (1 + promotions * (1 - 1 / eta)))))


@dataclass(frozen=True)
class ASHAPolicy:
    """ASHA: whoever is in the top 1/η of a rung goes on to the next, without waiting for the rest.

    Rung k is at epoch r η^k. A free worker, in this order,

    1. with K arms, goes on with one that is between two rungs and on nobody's hands,
    2. promotes, from the highest rung down, the best arm that is among the ⌊m/η⌋ best of the m
       arms that have been there, and has not been promoted yet,
    3. starts an arm that has not reached rung 0,
    4. where arms join during the search, lets one join,
    5. or, with K arms, or where none could catch up any more, promotes the best arm of the
       highest rung with a free one anyway: so the whole budget is used.

    Arms are ranked on their best reward up to the rung. An arm at its own cap counts at all rungs
    above, and is not promoted. Where r changes on the way, because an arm joins or the cost of an
    epoch gets known, arms between rungs rest at the rung below.
    Where arms are of several groups, the best of each are promoted too, so that a group that
    starts slowly is not passed over for it: :mod:`vaesearch.bandits.groups`.
    Nothing is cut: an arm passed over is promoted later if those that come after it are worse.

    Assumes that ranks at an early epoch are those at the end; with few arms little is gained
    over pulling the best one.

    Paper: Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020.

    Args:
        eta: one in how many arms is promoted.
        rung: r, epochs of the lowest rung; 0 for :func:`first_rung`.
        chunk: epochs per pull; the last pull before a rung is shorter where needed.

    Raises:
        InputError: a constant is out of its range.
    """

    eta: int = 3
    rung: int = 0
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(2, eta=self.eta)
        check_integer(0, rung=self.rung)
        check_integer(1, chunk=self.chunk)

    def opening(
        self, history: History, groups: Sequence[str], rng: np.random.Generator
    ) -> Opening | None:
        """Where nobody is to go on or to be promoted, while a new arm can still catch up."""
        if not worth_opening(history) or (
            history.candidates and self._due(history, self.rung or 1) is not None
        ):
            return None
        return Opening(next_group(history, groups, rng), "nobody is due for the next rung")

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """Go on, promote, start, or promote anyway."""
        first = self.rung or first_rung(history, self.eta)
        due = self._due(history, first)
        if due is not None:
            return due
        free = history.candidates
        rungs = self._rungs(history, first)
        highest = max(rungs[a.name] for a in free)
        left = [a for a in free if rungs[a.name] == highest]
        best = ranked(left, self._epoch(highest, first))[0]
        return self._pull(best, highest, first, "the best that is free, nobody else can go on")

    def _due(self, history: History, first: int) -> Decision | None:
        """The arm that is to go on, to be promoted or to start; None if there is none."""
        free = history.candidates
        rungs = self._rungs(history, first)
        # Where arms join, pulls may be longer than to the next rung, and one that was only carried
        # beyond a rung must not pass for promoted: it goes on as long as it is among the best.
        fixed = history.budget.trials is None
        going = [a for a in free if fixed and a.epochs > self._epoch(rungs[a.name], first)]
        flying = sum(bool(a.pending) for a in history.arms)
        # More of them than workers: r has changed, and they are not between rungs by promotion.
        if going and len(going) + flying <= history.budget.workers:
            arm = min(going, key=lambda a: (-rungs[a.name], -a.epochs, a.name))
            return self._pull(arm, rungs[arm.name], first, "on its way")
        top = max(rungs.values())
        probe = probed(history)
        if probe is not None:
            rung = rungs[probe.name]
            return self._pull(probe, rung, first, f"to know what {probe.group} reaches")
        for rung in range(top, -1, -1):
            arm_or_none, why = self._promoted(history, rung, first)
            if arm_or_none is not None:
                return self._pull(arm_or_none, rung, first, why)
        new = [a for a in free if rungs[a.name] < 0]
        if new:
            return self._pull(fewest_epochs(new), -1, first, "start")
        return None

    def _promoted(self, history: History, rung: int, first: int) -> tuple[ArmHistory | None, str]:
        """The best arm to promote from ``rung``, if any, and why.

        Whoever is among the best of its group is promoted as well as the best of all.
        """
        epoch = self._epoch(rung, first)
        members = [
            a
            for a in history.arms
            if a.status == "open" and a.epochs >= min(epoch, history.cap(a))
        ]
        next_epoch = self._epoch(rung + 1, first)
        able = {a.name for a in history.candidates if a.epochs < next_epoch}
        order = ranked(members, epoch)
        groups = sorted({a.group for a in members})
        of_group = [[a for a in order if a.group == g] for g in groups] if len(groups) > 1 else []
        for place, best in enumerate([order, *of_group]):
            where = f" of {groups[place - 1]}" if place else ""
            for arm in best[: len(best) // self.eta]:
                if arm.name in able:
                    count = f"{len(best) // self.eta} of {len(best)}"
                    return arm, f"among the best {count} at this rung{where}"
        return None, ""

    def _rungs(self, history: History, first: int) -> dict[str, int]:
        """The rung of each arm."""
        of = {epochs: self._rung(epochs, first) for epochs in {a.epochs for a in history.arms}}
        return {a.name: of[a.epochs] for a in history.arms}

    def _rung(self, epochs: int, first: int) -> int:
        """The highest rung at or below ``epochs``; -1 below rung 0."""
        rung = -1
        while self._epoch(rung + 1, first) <= epochs:
            rung += 1
        return rung

    def _epoch(self, rung: int, first: int) -> int:
        return first * self.eta**rung if rung >= 0 else 0

    def _pull(self, arm: ArmHistory, rung: int, first: int, why: str) -> Decision:
        target = self._epoch(rung + 1, first)
        value = f", best reward {best_until(arm, arm.epochs):.4g}" if arm.rewards else ""
        reason = f"{why}{value}: on to epoch {target}"
        return Decision(arm.name, reason, min(self.chunk, target - arm.epochs))
