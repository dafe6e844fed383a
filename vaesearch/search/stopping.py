"""Ending a search before its budget is spent, once the leader is right with enough probability."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vaesearch.bandits import stopping
from vaesearch.bandits.core import History, leader

ProbabilityBest = Callable[[History], Mapping[str, float]]
StopRule = Callable[[History], str | None]


@dataclass(frozen=True)
class ConfidenceStop:
    """Stops when one arm is the best with a probability of ``confidence`` or more.

    Asked before each decision. While it says stop nothing new is started; pulls in flight come
    home, and if what they bring contradicts it the search goes on. It never stops

    - while an arm that may be pulled has not been looked at, or
    - for an arm that is not the leader on validation yet: the search would hand out another.

    Args:
        confidence: between 0.5 and 1.
        probability_best: for each arm, the probability that it is the best; pure.
    """

    confidence: float
    probability_best: ProbabilityBest = stopping.probability_best

    def __call__(self, history: History) -> str | None:
        """The reason to stop, or None."""
        first = leader(history.arms)
        if first is None or any(a.status == "open" and not a.epochs for a in history.arms):
            return None
        # Not `max`: an arm that is not the leader may be ahead of it in probability.
        probability = self.probability_best(history).get(first.name, 0.0)
        if probability < self.confidence:
            return None
        # Written so that 0.97 is not shown for 0.9699 where 0.97 was asked for.
        shown = f"{int(1000 * probability) / 1000:g}"
        return f"the leader {first.name} is best with probability {shown} >= {self.confidence:g}"


def stop_rule(confidence: float | None) -> StopRule:
    """The rule for a confidence; without one, the whole budget is spent."""
    return (lambda history: None) if confidence is None else ConfidenceStop(confidence)
