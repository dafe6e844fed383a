"""A figure, and how sure it is."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from vaesearch.records import Estimate

__all__ = ["Estimate", "Measurement", "mean_of"]


@dataclass(frozen=True)
class Measurement:
    """What a metric found.

    Attributes:
        figures: by name, such as ``elbo``; each can be logged as a number.
        details: plain data fit for JSON that is no single number, such as a KL for each latent.
        notes: what a reader must know to read the figures right, a sentence each.
    """

    figures: dict[str, Estimate]
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def mean_of(values: Tensor) -> Estimate:
    """The mean of values ``[N]``, one per image or draw, and its standard error."""
    exact = values.detach().double().flatten()
    count = len(exact)
    error = (exact.std() / count**0.5).item() if count > 1 else None
    return Estimate(exact.mean().item(), error, count)
