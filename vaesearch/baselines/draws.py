"""Which arm is drawn next, batch by batch, by any policy; knows nothing of networks."""

from collections.abc import Sequence

import numpy as np

from vaesearch.bandits.core import Budget, Decision, History, Policy
from vaesearch.errors import PolicyError
from vaesearch.search.asking import fault_of


class Draws:
    """The history of a bandit whose pulls are batches.

    Args:
        policy: what decides; an epoch of the history is a batch.
        names: of the arms.
        batches: in all.
        rng: of the policy.
        chunk: batches per decision at least.
    """

    def __init__(
        self,
        policy: Policy,
        names: Sequence[str],
        batches: int,
        rng: np.random.Generator,
        chunk: int = 1,
    ) -> None:
        self.history = History(Budget(epochs=batches))
        for name in names:
            self.history = self.history.added(name)
        self._policy = policy
        self._rng = rng
        self._chunk = chunk
        self._owed: tuple[str, int] | None = None

    def next(self) -> str | None:
        """The arm of the next batch; None where none is left or the policy wants no more.

        Raises:
            PolicyError: the policy failed, or decided what is not allowed.
        """
        if self.history.epochs_left <= 0:
            return None
        if self._owed is None:
            if not self.history.candidates:
                return None
            decision = self._decide()
            for name in decision.cut:
                self.history = self.history.closed(name, "cut")
            if decision.arm is None:
                return None
            self._owed = decision.arm, max(decision.epochs, self._chunk)
        return self._owed[0]

    def observe(self, reward: float) -> None:
        """Take in the reward of the batch of :meth:`next`."""
        assert self._owed is not None  # noqa: S101
        name, left = self._owed
        # A batch counts for one second: nothing may depend on the clock.
        self.history = self.history.started(name, 1).observed(name, (reward,), (1.0,))
        self._owed = (name, left - 1) if left > 1 else None

    def _decide(self) -> Decision:
        policy = type(self._policy).__qualname__
        try:
            decision = self._policy.choose(self.history, self._rng)
        # Whatever a user's policy may raise.
        except Exception as error:
            raise PolicyError(
                f"policy {policy} failed at batch {self.history.spent}: "
                f"{type(error).__name__}: {error}"
            ) from error
        fault = fault_of(decision, self.history)
        if fault is not None:
            raise PolicyError(f"policy {policy}, batch {self.history.spent}: {fault}")
        return decision
