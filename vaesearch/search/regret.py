"""How good a search was, judged by whole learning curves that it did not see: pure functions.

Rewards are "higher is better". A *value* is the reward of a checkpoint. What an arm is worth is
its best checkpoint, which is what a search keeps and hands out, so a curve that turns down later
loses nothing by it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Curves = Mapping[str, Sequence[float]]
"""Per arm, the reward after epoch 1, 2, ..., on validation or on test images."""

WITHIN = 0.01  # a search has arrived when it is this near to the best, relatively


@dataclass(frozen=True)
class Step:
    """One epoch that a search trained.

    Attributes:
        spent: epochs of the whole search when this one was finished, itself included.
        arm: whose epoch it was.
        epoch: of the arm, from 1.
        reward: on validation images.
        seconds: of the search's clock when the epoch's pull came back.
    """

    spent: int
    arm: str
    epoch: int
    reward: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Trace:
    """What a search did, epoch by epoch in the order in which they finished.

    Attributes:
        steps: one per epoch.
        failed: arms that failed, with what had been spent by then. A search does not hand out
            the checkpoint of an arm that failed.
    """

    steps: tuple[Step, ...]
    failed: Mapping[str, int] = field(default_factory=dict)

    def found(self, spent: float = float("inf")) -> Step | None:
        """What the search would have handed out after ``spent`` epochs; None before any.

        It is the step with the highest validation reward, the earliest of equals.
        """
        steps = [s for s in self.steps if s.spent <= spent and not self._failed(s.arm, spent)]
        return max(steps, key=lambda step: step.reward, default=None)

    def first(self, spent: int) -> "Trace":
        """The search as it was after ``spent`` epochs."""
        failed = {arm: when for arm, when in self.failed.items() if when <= spent}
        return Trace(self.steps[:spent], failed)

    def progress(self) -> list[Step | None]:
        """What :meth:`found` would say after 1, 2, ... epochs, in one pass."""
        best: Step | None = None
        line: list[Step | None] = []
        for step in self.steps:
            if best is not None and self._failed(best.arm, step.spent):
                best = self.found(step.spent)
            elif not self._failed(step.arm, step.spent):
                best = step if best is None or step.reward > best.reward else best
            line.append(best)
        return line

    def until(self, value: float) -> Step | None:
        """The step that first reached ``value``; None if none did."""
        return next((step for step in self.steps if step.reward >= value), None)

    def _failed(self, arm: str, spent: float) -> bool:
        return arm in self.failed and self.failed[arm] <= spent


def make_trace(
    epochs: Iterable[tuple[str, int, float]], failed: Mapping[str, int] | None = None
) -> Trace:
    """The trace of a search that finished ``epochs``, each an (arm, epoch, reward), in order."""
    steps = tuple(
        Step(spent, arm, epoch, reward)
        for spent, (arm, epoch, reward) in enumerate(epochs, start=1)
    )
    return Trace(steps, failed or {})


def oracle(curves: Curves, epochs: int | None = None) -> Step:
    """The best that training one arm alone can find in ``epochs``, by who knows which arm.

    No search beats it: whatever it spends, one arm got at most all of that. The earliest epoch
    counts among equals.

    Args:
        curves: not all empty.
        epochs: that may be spent; None for as many as are recorded.

    Raises:
        ValueError: no epoch is recorded.
    """
    steps = [
        Step(epoch, arm, epoch, reward)
        for arm, curve in curves.items()
        for epoch, reward in enumerate(curve[:epochs], start=1)
    ]
    return max(steps, key=lambda step: (step.reward, -step.epoch))


def near(best: float, within: float = WITHIN) -> float:
    """The value from which on a search is within that fraction of ``best``.

    >>> near(-2.0), near(50.0, 0.1)
    (-2.02, 45.0)
    """
    return best - within * abs(best)


def checkpoint_regret(found: Step, curves: Curves, epochs: int | None = None) -> float:
    """How far the checkpoint that was handed out is below the best there is.

    Args:
        found: chosen on validation.
        curves: what it is judged on: validation rewards, or those on test images.
        epochs: of the oracle it is compared with; None for as many as are recorded.
    """
    return oracle(curves, epochs).reward - curves[found.arm][found.epoch - 1]


def identification_regret(arm: str, curves: Curves, cap: int | None = None) -> float:
    """How far the arm that was handed out could be below the best arm, both trained to the end.

    ``max_i mu_i(N) - mu_J(N)``, where ``mu_i(N)`` is the best checkpoint of arm i in N epochs.

    Args:
        arm: J, the one that was handed out.
        curves: what it is judged on.
        cap: N; None for as many as are recorded.
    """
    return oracle(curves, cap).reward - max(curves[arm][:cap])


def oracle_epochs(curves: Curves, value: float) -> int | None:
    """The fewest epochs in which one arm alone reaches ``value``; None if none does."""
    first = [
        next((epoch for epoch, reward in enumerate(curve, start=1) if reward >= value), None)
        for curve in curves.values()
    ]
    return min((epoch for epoch in first if epoch is not None), default=None)


def uniform_epochs(curves: Curves, value: float, failed: Collection[str] = ()) -> int | None:
    """What it costs to train all arms equally until one of them reaches ``value``.

    Every arm is trained to the epoch at which the first arm gets there, but for arms that failed
    before: they cost what was recorded of them.

    Args:
        curves: rewards of all arms.
        value: to be reached.
        failed: arms that can go no further than their curve; the others could.

    Returns:
        Epochs over all arms; None where no arm reaches ``value``.
    """
    rounds = oracle_epochs(curves, value)
    if rounds is None:
        return None
    return sum(
        min(rounds, len(curve)) if arm in failed else rounds for arm, curve in curves.items()
    )


def epochs_saved(trace: Trace, curves: Curves, failed: Collection[str] = ()) -> int | None:
    """Epochs that training all arms equally would have needed beyond those of the search.

    Both are counted to the moment at which they first had a checkpoint as good as the one that
    the search handed out in the end; negative where the search was slower.

    Args:
        trace: of the search.
        curves: rewards of all arms on validation.
        failed: as in :func:`uniform_epochs`.

    Returns:
        None where nothing was found, or no recorded curve reaches it.
    """
    found = trace.found()
    if found is None:
        return None
    uniform = uniform_epochs(curves, found.reward, failed)
    return None if uniform is None else uniform - found.spent
