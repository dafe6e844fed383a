"""Feeds recorded curves to a scheduler that decides trial by trial, on a virtual clock."""

import heapq
from dataclasses import dataclass
from typing import Literal, Protocol

from instances import Instance

Verdict = Literal["continue", "pause", "stop"]


@dataclass(frozen=True)
class Step:
    """An arm reached an epoch after ``spent`` epochs of the budget, in all arms together."""

    spent: float
    arm: int
    epoch: int


Trace = list[Step]


class Scheduler(Protocol):
    """What the driver needs from a peer; arms are numbers, in the order they are offered in."""

    def next(self) -> int | None:
        """The arm that an idle worker starts or takes up again; None if there is none now."""
        ...

    def report(self, arm: int, epoch: int, reward: float) -> Verdict:
        """What to do with an arm after its epoch."""
        ...


def drive(scheduler: Scheduler, instance: Instance, epochs: int, workers: int = 1) -> Trace:
    """Train until the budget is spent or the scheduler has nothing more to run.

    An arm ends where its recording does. A peer that finishes early just ends: with a fixed set
    of arms there is no new trial to sample, and training one again from scratch finds nothing.
    """
    trace: Trace = []
    running: list[tuple[float, int, int]] = []  # end of the epoch, tie-breaker, arm
    done = [0] * instance.size
    begun = 0

    def begin(arm: int, now: float) -> None:
        nonlocal begun
        begun += 1
        heapq.heappush(running, (now + instance.seconds[arm, done[arm]], begun, arm))

    now = 0.0
    while True:
        while len(running) < workers and begun < epochs:
            arm = scheduler.next()
            if arm is None:
                break
            begin(arm, now)
        if not running:
            return trace
        now, _, arm = heapq.heappop(running)
        done[arm] += 1
        trace.append(Step(len(trace) + 1, arm, done[arm]))
        verdict = scheduler.report(arm, done[arm], float(instance.valid[arm, done[arm] - 1]))
        if verdict == "continue" and done[arm] < instance.cap and begun < epochs:
            begin(arm, now)
