"""Synthetic learning curves that carry their truth, and a simulator that runs a policy on them."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vaesearch.bandits import families
from vaesearch.bandits.core import Budget, History, Policy
from vaesearch.bandits.families import Array


@dataclass(frozen=True)
class CurveSet:
    """Learning curves of K arms over N epochs.

    Attributes:
        truth: noiseless rewards, shape (K, N); column j is epoch j + 1.
        rewards: what a search observes, shape (K, N); NaN is an epoch that diverges.
        seconds: what each epoch costs, shape (K, N) or (K, 1); one second if None.
    """

    truth: Array
    rewards: Array
    seconds: Array | None = None


@dataclass(frozen=True)
class Family:
    """A kind of curve set.

    Attributes:
        truth: draws noiseless rewards from a generator, K and N.
        noise: standard deviation.
        slow: how many times as long as the others one arm, drawn at random, takes per epoch; a
            search on such curves has its budget in seconds.
    """

    truth: Callable[[np.random.Generator, int, int], Array]
    noise: float = 0.01
    slow: float = 1.0

    def draw(self, seed: int, arms: int, length: int) -> CurveSet:
        """``arms`` curves over ``length`` epochs, in random order."""
        rng = np.random.default_rng(seed)
        truth = rng.permutation(self.truth(rng, arms, length))
        rewards = truth + rng.normal(0, self.noise, truth.shape)
        if self.slow == 1:
            return CurveSet(truth, rewards)
        seconds = np.ones((arms, 1))
        seconds[rng.integers(arms)] = self.slow
        return CurveSet(truth, rewards, seconds)

    def budget(self, epochs: int, cap: int | None = None, workers: int = 1) -> Budget:
        """A budget of ``epochs``, in seconds (per worker) where arms differ in cost."""
        if self.slow == 1:
            return Budget(epochs=epochs, cap=cap, workers=workers)
        return Budget(seconds=epochs / workers, cap=cap, workers=workers)


FAMILIES: dict[str, Family] = {
    "fast": Family(families.fast_saturating),
    "power": Family(families.power_law),
    "crossing": Family(families.crossing),
    "overfitting": Family(families.overfitting),
    "early peak": Family(families.early_peak),
    "warm-up dip": Family(families.warm_up_dip),
    "diverging": Family(families.diverging),
    "heavy noise": Family(families.fast_saturating, noise=0.1),
    "equal": Family(families.equal_arms),
    "common drift": Family(families.common_drift),
    "plateau-jump": Family(families.plateau_then_jump),
    "one slow": Family(families.power_law, slow=20.0),
}


def arm_name(index: int) -> str:
    """The name of the arm in row ``index`` of a curve set."""
    return f"arm-{index:02d}"


@dataclass
class _Simulation:
    """A search on virtual time: pulls in flight wait in a heap for the clock to reach them."""

    history: History
    rewards: Array
    seconds: Array
    flights: list[tuple[float, str, int]] = field(default_factory=list)

    def fill_workers(self, policy: Policy, rng: np.random.Generator) -> None:
        """Start pulls until no worker, budget or arm is free, or the policy waits."""
        while self._has_room():
            decision = policy.choose(self.history, rng)
            for name in decision.cut:
                self.history = self.history.closed(name, "cut")
            if decision.arm is None:
                return
            self._start(decision.arm, decision.epochs)

    def _has_room(self) -> bool:
        history = self.history
        free = len(self.flights) < history.budget.workers
        return free and min(history.epochs_left, history.seconds_left) > 0 < len(
            history.candidates
        )

    def _start(self, name: str, epochs: int) -> None:
        arm = self.history.arm(name)
        room = self.history.cap(arm) - arm.epochs
        epochs = int(min(epochs, room, self.history.epochs_left))
        self.history = self.history.started(name, epochs)
        took = self.seconds[_row(name), arm.epochs : arm.epochs + epochs].sum()
        heapq.heappush(self.flights, (self.history.elapsed + float(took), name, epochs))

    def finish_pull(self) -> None:
        """Move the clock to the end of the next pull and take in what it brings.

        Epochs that end after the deadline are lost, as is one that diverges, with all after it.
        """
        end, name, epochs = heapq.heappop(self.flights)
        row, done = _row(name), self.history.arm(name).epochs
        rewards = self.rewards[row, done : done + epochs]
        seconds = self.seconds[row, done : done + epochs]
        deadline = np.inf if self.history.budget.seconds is None else self.history.budget.seconds
        late = end - seconds.sum() + seconds.cumsum() > deadline + 1e-9
        kept = int(np.argmax(np.append(late | np.isnan(rewards), True)))
        self.history = self.history.at(min(end, deadline)).observed(
            name, rewards[:kept].tolist(), seconds[:kept].tolist()
        )
        if kept < epochs and not late[kept]:
            self.history = self.history.closed(name, "failed")


def _row(name: str) -> int:
    return int(name.removeprefix("arm-"))


def run_policy(
    policy: Policy,
    curves: CurveSet,
    budget: Budget | int,
    seed: int,
    workers: int = 1,
    limits: Sequence[int | None] | None = None,
) -> History:
    """Run a whole search on recorded curves.

    Args:
        policy: what decides.
        curves: an arm per row, called ``arm-00``, ``arm-01`` and so on.
        budget: epochs in all, or a budget; the length of the curves is a cap as well.
        seed: of the policy's generator.
        workers: pulls side by side, where ``budget`` is a number of epochs.
        limits: most epochs of each arm, where it has a limit of its own.

    Returns:
        The history at the end.
    """
    if isinstance(budget, int):
        budget = Budget(epochs=budget, workers=workers)
    rewards = curves.rewards[:, : budget.cap]
    history = History(replace(budget, cap=rewards.shape[1]))
    for index in range(len(rewards)):
        history = history.added(arm_name(index), limits[index] if limits else None)
    seconds = np.broadcast_to(
        1.0 if curves.seconds is None else curves.seconds, curves.truth.shape
    )
    simulation = _Simulation(history, rewards, seconds)
    rng = np.random.default_rng(seed)
    simulation.fill_workers(policy, rng)
    while simulation.flights:
        simulation.finish_pull()
        simulation.fill_workers(policy, rng)
    return simulation.history
