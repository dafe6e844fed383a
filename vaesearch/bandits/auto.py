"""The default: which policy suits so many candidates and so much budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaesearch.bandits.asha import ASHAPolicy
from vaesearch.bandits.common import check_at_least, check_integer
from vaesearch.bandits.core import Decision, History, Policy, leader
from vaesearch.bandits.curve_halving import CurveHalvingPolicy
from vaesearch.bandits.halving import epochs_affordable
from vaesearch.bandits.opening import Opening, epochs_left
from vaesearch.bandits.projected import ExpectedImprovementPolicy

LATE = 0.5  # of the budget, above which an open set is not finished
FINALISTS = 10  # arms that are kept to the end


@dataclass(frozen=True)
class AutoPolicy:
    """Chooses by the number of arms K and the budget of T epochs, and says why.

    - Arms that join during the search: :class:`~vaesearch.bandits.asha.ASHAPolicy`, as most that
      are proposed are poor and the first epochs tell that much. No arm joins any more once what
      is left is ``reserve`` times what the best arm needs to its cap, and half of the budget is
      spent; the rest goes by expected improvement, most of it to the best arm, and all but the
      best few are cut.
    - More than ``crowd`` arms: :class:`~vaesearch.bandits.curve_halving.CurveHalvingPolicy`, which
      fits the curves once per round. Fitting that many before each pull costs more than it gives.
    - More than ``many`` arms with T / K below ``tight``: the same. With many arms the one that is
      projected highest owes that to luck more often, and there is no time to find out.
    - T / K below ``scarce``: :class:`~vaesearch.bandits.projected.ExpectedImprovementPolicy` after
      one epoch of each arm, since two would use up the budget.
    - Otherwise the same after two epochs of each arm, which show how steep a curve is.

    The cap changes nothing: an arm's projection ends there anyway. With a budget in seconds, T is
    what the open arms can still run at their measured cost. The thresholds were chosen on curves
    of digits (``scarce``) and MNIST (``many`` and ``tight``).

    Args:
        crowd: arms above which halving is used whatever the budget.
        many: arms above which halving is used if the budget is tight.
        tight: epochs per arm below which it is.
        scarce: epochs per arm below which one look must do.
        reserve: of what the best arm needs to its cap, that is kept for the end; see above.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    crowd: int = 200
    many: int = 30
    tight: float = 15.0
    scarce: float = 3.0
    reserve: float = 1.0
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, crowd=self.crowd, many=self.many, chunk=self.chunk)
        check_at_least(0, tight=self.tight, scarce=self.scarce, reserve=self.reserve)

    def opening(
        self, history: History, groups: Sequence[str], rng: np.random.Generator
    ) -> Opening | None:
        """What the policy for arms that join decides, until it is time to finish."""
        if history.candidates and self._finishing(history):
            return None
        return self._open_set().opening(history, groups, rng)

    def _finishing(self, history: History) -> bool:
        """Whether what is left is what the best arm needs to its cap."""
        best = leader([arm for arm in history.arms if arm.status == "open"])
        budget = history.budget
        if best is None or not np.isfinite(history.cap(best)):
            return False
        shares = [left / total for left, total in (
            (history.epochs_left, budget.epochs), (history.seconds_left, budget.seconds),
        ) if total]  # fmt: skip
        needed = self.reserve * (history.cap(best) - best.epochs)
        return epochs_left(history) <= needed and min(shares, default=1.0) <= LATE

    def _open_set(self) -> ASHAPolicy:
        return ASHAPolicy(eta=3, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """What the chosen policy decides, with the choice before the reason."""
        policy, why = self.pick(history)
        decision = policy.choose(history, rng)
        cut = decision.cut
        if history.budget.trials is not None and self._finishing(history):
            cut = _left_behind(history, decision.arm)
        return replace(decision, reason=f"{why}: {decision.reason}", cut=cut)

    def pick(self, history: History) -> tuple[Policy, str]:
        """The policy for this search, and why it was chosen."""
        if history.budget.trials is not None:
            if self._finishing(history):
                policy = ExpectedImprovementPolicy(minimum=1, chunk=self.chunk)
                return policy, "expected-improvement, to finish the best"
            return self._open_set(), "asha, as arms join during the search"
        arms = len(history.arms)
        share = epochs_affordable(history) / arms
        size = f"for {arms} arms, {share:.3g} epochs each"
        if arms > self.crowd or (arms > self.many and share < self.tight):
            return CurveHalvingPolicy(chunk=self.chunk), f"curve-halving {size}"
        looks = 1 if share < self.scarce else 2
        policy = ExpectedImprovementPolicy(minimum=looks, chunk=self.chunk)
        return policy, f"expected-improvement {size}"


def _left_behind(history: History, pulled: str | None) -> dict[str, str]:
    """Arms beyond the finalists, with reasons; the one that is pulled is a finalist."""
    arms = [arm for arm in history.candidates if arm.name != pulled]
    order = sorted(arms, key=lambda arm: (-arm.value, arm.name))
    return {
        arm.name: f"not among the best {FINALISTS}, and no time left to catch up"
        for arm in order[FINALISTS - 1 :]
    }
