"""Synthetic learning curves that carry their truth, and a simulator that runs a policy on them.

Rewards are on the scale of negative bits/dim: arms end near -3 and differ by 0.05 to 0.5.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vaesearch.bandits.core import Budget, History, Policy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CurveSet:
    """Learning curves of K arms over N epochs.

    Attributes:
        truth: noiseless rewards, shape (K, N); column j is epoch j + 1.
        rewards: what a search observes, shape (K, N); NaN is a pull that diverges.
    """

    truth: Array
    rewards: Array


def _epochs(length: int) -> Array:
    return np.arange(1.0, length + 1)


def _exponential(final: Array, gain: Array, time: Array, length: int) -> Array:
    """Curves f - g exp(-(n - 1) / t), which start ``gain`` below ``final``; shape (K, N)."""
    return final[:, None] - gain[:, None] * np.exp(-(_epochs(length) - 1) / time[:, None])


def fast_saturating(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Exponential curves that are flat after a few epochs and seldom cross."""
    return _exponential(
        rng.uniform(-3.4, -3.0, arms), rng.uniform(0.4, 0.8, arms), rng.uniform(1, 4, arms), length
    )


def power_law(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Curves that never quite flatten: final - gain n^-c."""
    final, gain = rng.uniform(-3.4, -3.0, arms), rng.uniform(0.3, 0.9, arms)
    return final[:, None] - gain[:, None] * _epochs(length) ** -rng.uniform(0.4, 1.2, (arms, 1))


def crossing(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Late bloomers: the higher an arm ends, the more slowly it starts."""
    final = np.sort(rng.uniform(-3.4, -3.0, arms))
    time = np.linspace(2, 14, arms) * rng.uniform(0.8, 1.2, arms)
    return _exponential(final, rng.uniform(0.4, 0.8, arms) + (final + 3.4), time, length)


def overfitting(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Curves that turn for good at an epoch between 5 and 15."""
    rise = fast_saturating(rng, arms, length)
    turn, fall = rng.uniform(5, 15, (arms, 1)), rng.uniform(0.003, 0.015, (arms, 1))
    return rise - fall * np.maximum(_epochs(length) - turn, 0)


def equal_arms(rng: np.random.Generator, arms: int, length: int) -> Array:
    """One curve for all: nothing to be found."""
    return np.repeat(fast_saturating(rng, 1, length), arms, axis=0)


def common_drift(rng: np.random.Generator, arms: int, length: int) -> Array:
    """A slow rise of 1 that all arms share hides what separates them."""
    drift = -np.exp(-_epochs(length) / 25)
    own = _exponential(
        rng.uniform(-3.2, -3.0, arms), rng.uniform(0, 0.2, arms), rng.uniform(1, 8, arms), length
    )
    return own + drift


def plateau_then_jump(rng: np.random.Generator, arms: int, length: int) -> Array:
    """Flat curves, half of which jump late; no policy can foresee a jump."""
    base = fast_saturating(rng, arms, length)
    jump = rng.uniform(0.1, 0.4, (arms, 1)) * (rng.random((arms, 1)) < 0.5)
    start = rng.uniform(8, 20, (arms, 1))
    curves: Array = base + jump / (1 + np.exp(start - _epochs(length)))
    return curves


@dataclass(frozen=True)
class Family:
    """A kind of curve set: how the truth is drawn and the standard deviation of the noise."""

    truth: Callable[[np.random.Generator, int, int], Array]
    noise: float = 0.01

    def draw(self, seed: int, arms: int, length: int) -> CurveSet:
        """``arms`` curves over ``length`` epochs, in random order."""
        rng = np.random.default_rng(seed)
        truth = rng.permutation(self.truth(rng, arms, length))
        return CurveSet(truth, truth + rng.normal(0, self.noise, truth.shape))


FAMILIES: dict[str, Family] = {
    "fast": Family(fast_saturating),
    "power": Family(power_law),
    "crossing": Family(crossing),
    "overfitting": Family(overfitting),
    "heavy noise": Family(fast_saturating, noise=0.1),
    "equal": Family(equal_arms),
    "common drift": Family(common_drift),
    "plateau-jump": Family(plateau_then_jump),
}


def arm_name(index: int) -> str:
    """The name of the arm in row ``index`` of a curve set."""
    return f"arm-{index:02d}"


@dataclass
class _Simulation:
    """A search on virtual time: every epoch takes one second; pulls in flight wait in a heap."""

    history: History
    rewards: Array
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
        room = self.rewards.shape[1] - self.history.arm(name).epochs
        epochs = int(min(epochs, room, self.history.epochs_left))
        self.history = self.history.started(name, epochs)
        heapq.heappush(self.flights, (self.history.elapsed + epochs, name, epochs))

    def finish_pull(self) -> None:
        """Move the clock to the end of the next pull and take in what it brings."""
        elapsed, name, epochs = heapq.heappop(self.flights)
        self.history = self.history.at(elapsed)
        done = self.history.arm(name).epochs
        rewards = self.rewards[int(name.removeprefix("arm-")), done : done + epochs]
        if np.isnan(rewards).any():
            self.history = self.history.closed(name, "failed")
        else:
            self.history = self.history.observed(name, rewards.tolist(), [1.0] * epochs)


def run_policy(
    policy: Policy, curves: CurveSet, budget: Budget | int, seed: int, workers: int = 1
) -> History:
    """Run a whole search on recorded curves.

    Args:
        policy: what decides.
        curves: an arm per row, called ``arm-00``, ``arm-01`` and so on.
        budget: epochs in all, or a budget; the length of the curves is a cap as well.
        seed: of the policy's generator.
        workers: pulls side by side, where ``budget`` is a number of epochs.

    Returns:
        The history at the end.
    """
    if isinstance(budget, int):
        budget = Budget(epochs=budget, workers=workers)
    rewards = curves.rewards[:, : budget.cap]
    history = History(replace(budget, cap=rewards.shape[1]))
    for index in range(len(rewards)):
        history = history.added(arm_name(index))
    simulation = _Simulation(history, rewards)
    rng = np.random.default_rng(seed)
    simulation.fill_workers(policy, rng)
    while simulation.flights:
        simulation.finish_pull()
        simulation.fill_workers(policy, rng)
    return simulation.history
