"""What keeps q(z|x) near the prior: a cost in nats per image that is taken off the bound.

``divergences`` has those of each image's q(z|x) from p(z), ``discrepancy`` those that compare all
encodings of a batch with the prior, ``disentangling`` those of the batch's covariance.
"""

from typing import Protocol

import torch
from torch import Tensor

from vaesearch.objectives.terms import Terms


class Regularizer(Protocol):
    """A cost of encodings."""

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``; one of the whole batch is given to each of its images."""
        ...
