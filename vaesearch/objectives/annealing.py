"""How the weights of an objective grow in the first epochs of training.

Two different things: weighting the KL leaves a stochastic auto-encoder at first (Bowman et al.
2016); weighting the entropy of q(z|x) alone leaves a point estimate under the prior (Cremer et
al. 2018, section 5.3).
"""

import math
from dataclasses import dataclass

from vaesearch.errors import InputError


@dataclass(frozen=True)
class Weights:
    """Of the terms of an objective at one step.

    Attributes:
        regularizer: of the regulariser.
        entropy: of the entropy of q(z|x) inside the KL.
    """

    regularizer: float = 1.0
    entropy: float = 1.0


class NoAnnealing:
    """Full weights from the first step."""

    def __call__(self, progress: float) -> Weights:
        """Weights after ``progress`` epochs of training."""
        return Weights()


class KLAnnealing:
    """The regulariser's weight grows linearly from 0 to 1.

    Args:
        epochs: how long it takes; may be a fraction.

    Raises:
        InputError: ``epochs`` is not above 0.
    """

    def __init__(self, epochs: float = 10) -> None:
        self.epochs = _positive("kl", epochs)

    def __call__(self, progress: float) -> Weights:
        """Weights after ``progress`` epochs of training."""
        return Weights(regularizer=min(1.0, progress / self.epochs))


class EntropyAnnealing:
    """The weight of the entropy of q(z|x) grows linearly from 0 to 1.

    Args:
        epochs: how long it takes; may be a fraction.

    Raises:
        InputError: ``epochs`` is not above 0.
    """

    def __init__(self, epochs: float = 10) -> None:
        self.epochs = _positive("entropy", epochs)

    def __call__(self, progress: float) -> Weights:
        """Weights after ``progress`` epochs of training."""
        return Weights(entropy=min(1.0, progress / self.epochs))


def _positive(name: str, epochs: float) -> float:
    if isinstance(epochs, str) or not (math.isfinite(epochs) and epochs > 0):
        raise InputError(f"annealing {name}:{epochs}: give the epochs it takes, above 0.")
    return epochs
