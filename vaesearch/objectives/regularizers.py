"""What keeps q(z|x) near the prior: a cost in nats per image that is taken off the bound."""

from typing import Protocol

import torch
from torch import Tensor

from vaesearch.objectives.terms import Terms


class Regularizer(Protocol):
    """A cost of encodings."""

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``; one of the whole batch is given to each of its images."""
        ...


class KL:
    """KL(q(z|x) || p(z)), as in the bound itself."""

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``."""
        return terms.kl
