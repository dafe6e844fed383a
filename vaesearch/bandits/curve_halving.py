"""Successive halving that looks ahead: arms are ranked by where their curves will end."""

from dataclasses import dataclass
from typing import ClassVar

from vaesearch.bandits.core import History
from vaesearch.bandits.halving import SuccessiveHalvingPolicy
from vaesearch.bandits.projection import project


@dataclass(frozen=True)
class CurveHalvingPolicy(SuccessiveHalvingPolicy):
    """Successive halving by the projected mean.

    Rounds and shares are those of :class:`~vaesearch.bandits.halving.SuccessiveHalvingPolicy`,
    but at the end of a round the arms stay whose expected final value is highest, so that a slow
    starter that still rises is not lost to a fast one that has stalled.

    Assumes curves of the families of :mod:`vaesearch.bandits.curves`. Curves are fitted once per
    round, which makes it cheap with thousands of arms.

    Papers: Jamieson & Talwalkar, AISTATS 2016; Domhan et al., IJCAI 2015, for the projection.

    Args:
        eta: one in how many arms survives a round.
        chunk: epochs per pull; the last pull of a round is shorter where needed.

    Raises:
        InputError: a constant is out of its range.
    """

    _score: ClassVar[str] = "projected"

    def _scores(self, history: History, target: int) -> dict[str, float]:
        """Expected final values; an arm without a reward comes last."""
        projection = project(history)
        projected = projection.in_rewards(projection.expected())
        open_arms = [a.name for a in history.arms if a.status == "open"]
        return {name: projected.get(name, float("-inf")) for name in open_arms}
