"""The contract between a search and its policies: a history goes in, a decision comes out.

A :class:`History` is all that a policy may know: how far each arm is, what it scored, what it
cost, what is in flight and what budget is left. It is a fold over the ledger, so a policy needs no
state of its own, and resuming a search restores every policy exactly. Policies are frozen
dataclasses that hold constants; randomness is passed in. Rewards are "higher is better" and
comparable across arms, by default negative bits/dim on validation images.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from statistics import median
from typing import Any, Protocol

import numpy as np

from vaesearch.bandits.arms import RECENT, ArmHistory, Budget, Status

__all__ = [
    "RECENT", "ArmHistory", "Budget", "Decision", "History", "Policy", "Status", "leader",
]  # fmt: skip


@dataclass(frozen=True)
class History:
    """Everything a policy may base a decision on; each transition returns a new history.

    Sums are carried from one history to the next by what changed, for searches of a thousand
    arms and arms of a thousand pulls. They are no fields: neither compared nor stored.
    """

    budget: Budget
    arms: tuple[ArmHistory, ...] = ()
    elapsed: float = 0.0
    decisions: int = 0

    def arm(self, name: str) -> ArmHistory:
        """The arm of that name; KeyError if there is none."""
        return self.arms[self._places[name]]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {arm.name: place for place, arm in enumerate(self.arms)}

    def _next(self, known: dict[str, Any], **changes: Any) -> "History":
        """A copy with ``changes``, of which ``known`` need not be worked out again."""
        after = replace(self, **changes)
        after.__dict__.update(known)  # where cached properties look first
        return after

    def _with(self, name: str, *, decisions: int = 0, **changes: Any) -> "History":
        """With ``changes`` to one arm, after so many more ``decisions``."""
        place = self._places[name]
        before = self.arms[place]
        after = replace(before, **changes)
        after.__dict__["totals"] = before.totals.plus(after.rewards[before.epochs :])
        known = {
            "_places": self._places,
            "spent": self.spent + after.epochs - before.epochs,
            "pending": self.pending + after.pending - before.pending,
        }
        arms = (*self.arms[:place], after, *self.arms[place + 1 :])
        return self._next(known, arms=arms, decisions=self.decisions + decisions)

    def added(self, name: str, limit: int | None = None, group: str = "") -> "History":
        """With one more arm, which may join at any time and may have ``limit`` epochs at most."""
        if name in self._places:
            raise ValueError(f"arm {name!r} is already in the history")
        return replace(self, arms=(*self.arms, ArmHistory(name, limit=limit, group=group)))

    def started(self, name: str, epochs: int) -> "History":
        """With ``epochs`` of ``name`` in flight, after one more decision."""
        return self._with(name, decisions=1, pending=self.arm(name).pending + epochs)

    def observed(
        self,
        name: str,
        rewards: Sequence[float],
        seconds: Sequence[float],
        overhead: float | None = None,
    ) -> "History":
        """With the pull of ``name`` finished; nothing of it is in flight any more.

        ``rewards`` and ``seconds`` have one value per epoch; ``overhead`` is what the pull took
        beyond those seconds, None if that was not measured.
        """
        arm = self.arm(name)
        overheads = arm.overheads if overhead is None else (*arm.overheads, overhead)[-RECENT:]
        return self._with(
            name,
            rewards=arm.rewards + tuple(rewards),
            seconds=arm.seconds + tuple(seconds),
            pending=0,
            overheads=overheads,
        )

    def closed(self, name: str, status: Status) -> "History":
        """With ``name`` cut or failed.

        What a failed arm had in flight goes back to the pool; a cut arm's pull still comes home.
        """
        pending = 0 if status == "failed" else self.arm(name).pending
        return self._with(name, status=status, pending=pending)

    def at(self, elapsed: float) -> "History":
        """The same history ``elapsed`` seconds into the search."""
        known = {"_places": self._places, "spent": self.spent, "pending": self.pending}
        if self.budget.seconds is None:  # else arms drop out as the clock runs
            known["candidates"] = self.candidates
        return self._next(known, elapsed=elapsed)

    @cached_property
    def spent(self) -> int:
        """Epochs finished by all arms."""
        return sum(a.epochs for a in self.arms)

    @cached_property
    def pending(self) -> int:
        """Epochs in flight, of all arms."""
        return sum(a.pending for a in self.arms)

    @cached_property
    def epochs_left(self) -> float:
        """Epochs neither finished nor in flight; infinite without a budget in epochs."""
        total = self.budget.epochs
        return np.inf if total is None else total - self.spent - self.pending

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; infinite without a budget in seconds."""
        return np.inf if self.budget.seconds is None else self.budget.seconds - self.elapsed

    @cached_property
    def candidates(self) -> tuple[ArmHistory, ...]:
        """Arms that may be pulled now: open, not in flight, below the cap, and in time.

        An arm one epoch of which is known to take longer than the seconds left would be stopped
        in the middle of it.
        """
        cap = self.budget.cap
        free = [
            arm
            for arm in self.arms
            if not arm.pending
            and arm.status == "open"
            and (cap is None or arm.epochs < cap)
            and (arm.limit is None or arm.epochs < arm.limit)
        ]
        return tuple(free if self.budget.seconds is None else filter(self.in_time, free))

    def in_time(self, arm: ArmHistory) -> bool:
        """Whether a pull of one epoch, if its cost is known, ends before the deadline."""
        return (arm.switch_cost or 0.0) + (arm.cost or 0.0) <= self.seconds_left

    @cached_property
    def typical_cost(self) -> float | None:
        """Median cost per epoch over the arms that have one."""
        costs = [c for arm in self.arms if (c := arm.cost) is not None]
        return float(median(costs)) if costs else None

    @cached_property
    def typical_switch_cost(self) -> float | None:
        """Median seconds beyond its epochs that a pull costs, over the arms that have one."""
        costs = [c for arm in self.arms if (c := arm.switch_cost) is not None]
        return float(median(costs)) if costs else None

    def cap(self, arm: ArmHistory) -> float:
        """Most epochs that ``arm`` may have, infinite without a limit."""
        limit, cap = arm.limit, self.budget.cap
        if limit is None:
            return np.inf if cap is None else cap
        return limit if cap is None else min(limit, cap)

    def reach(self, arm: ArmHistory) -> int:
        """The epoch that ``arm`` would be at if it got all that is left of the budget.

        This is where a policy that wants the best *final* model has to look. Bounded by the cap.
        With a budget in seconds the arm gets all the wall-clock time left, however many workers
        there are, since its epochs follow each other; its own cost per epoch counts, or the
        typical one until it has one. What it has in flight happens within that time.
        """
        target = min(arm.epochs + arm.pending + self.epochs_left, self.cap(arm))
        if self.budget.seconds is not None and (cost := arm.cost or self.typical_cost):
            in_time = max(0.0, self.seconds_left) / cost
            target = min(target, arm.epochs + max(arm.pending, in_time))
        # Without any bound in epochs yet (a budget in seconds, nothing timed) look a little ahead.
        return int(target) if math.isfinite(target) else arm.epochs + arm.pending + 10

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; :meth:`from_dict` restores an equal history."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "History":
        """The history that :meth:`to_dict` described."""
        series = ("rewards", "seconds", "overheads")
        arms = tuple(
            ArmHistory(**{**arm, **{name: tuple(arm[name]) for name in series}})
            for arm in data["arms"]
        )
        return cls(**{**data, "budget": Budget(**data["budget"]), "arms": arms})


@dataclass(frozen=True)
class Decision:
    """What a policy wants done next.

    Attributes:
        arm: the arm to pull, one of ``history.candidates``; None to wait for the pulls in flight,
            or, where nothing is in flight, to end the search.
        epochs: how many epochs to give it; the search clips this to the budget and the cap.
        reason: one line for a person: why this arm, in numbers.
        cut: arms to give up for good, each with its reason.
        values: scores per arm in units of reward (the projected final value), to be shown.
    """

    arm: str | None
    reason: str
    epochs: int = 1
    cut: dict[str, str] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)


class Policy(Protocol):
    """Chooses the arm that gets the next epochs."""

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision; called only while ``history.candidates`` is not empty.

        Must be a pure function of its arguments and must not depend on the order of the arms
        except to break exact ties.
        """


def leader(arms: Sequence[ArmHistory]) -> ArmHistory | None:
    """The arm whose best checkpoint scored highest on validation; None before any reward."""
    scored = [a for a in arms if a.rewards and a.status != "failed"]
    return max(scored, key=lambda a: a.value, default=None)
