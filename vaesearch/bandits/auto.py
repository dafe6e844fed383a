"""The default: which policy suits so many candidates and so much budget."""

from dataclasses import dataclass, replace

import numpy as np

from vaesearch.bandits.common import check_integer
from vaesearch.bandits.core import Decision, History, Policy
from vaesearch.bandits.curve_halving import CurveHalvingPolicy
from vaesearch.bandits.projected import ExpectedImprovementPolicy

MANY = 200  # arms; above, fitting all curves before each pull costs more than it gives


@dataclass(frozen=True)
class AutoPolicy:
    """Chooses among our policies by the number of arms, and says why.

    - Up to ``many`` arms: :class:`~vaesearch.bandits.projected.ExpectedImprovementPolicy`, which
      looks at all curves before each pull.
    - More arms: :class:`~vaesearch.bandits.curve_halving.CurveHalvingPolicy`, which looks at them
      once per round.

    Args:
        many: arms beyond which halving is used.
        chunk: epochs per pull.

    Raises:
        InputError: a constant is out of its range.
    """

    many: int = MANY
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, many=self.many, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        """What the chosen policy decides, with its name before the reason."""
        policy, why = self.pick(history)
        decision = policy.choose(history, rng)
        return replace(decision, reason=f"{why}: {decision.reason}")

    def pick(self, history: History) -> tuple[Policy, str]:
        """The policy for this search, and why it was chosen."""
        arms = len(history.arms)
        if arms > self.many:
            return CurveHalvingPolicy(chunk=self.chunk), f"curve-halving, for {arms} arms"
        return ExpectedImprovementPolicy(chunk=self.chunk), f"expected-improvement, {arms} arms"
