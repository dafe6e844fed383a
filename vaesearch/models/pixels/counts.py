"""Pixels as outcomes of coin tosses: one of them, or as many as there are levels."""

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.pixels.core import LEVELS, level_index, per_image


class BernoulliPixels:
    """Independent Bernoulli pixels given their logits.

    Exact for pixels in {0, 1}. For grey values it is the relaxed cross-entropy of the original
    report, which is not a probability of them: :meth:`log_mass` holds for binary pixels only.
    """

    is_mass = True

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @property
    def mean(self) -> Tensor:
        """P(x = 1)."""
        return torch.sigmoid(self.logits)

    @property
    def standard_deviation(self) -> Tensor:
        """Of binary pixels."""
        return torch.sqrt(self.mean * torch.sigmoid(-self.logits))

    def log_prob(self, x: Tensor) -> Tensor:
        """Negative binary cross-entropy, summed over pixels; finite at any logit."""
        loss = F.binary_cross_entropy_with_logits(self.logits, x, reduction="none")
        return -loss.flatten(1).sum(dim=1)

    log_mass = log_prob

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Pixels in {0, 1}."""
        return torch.bernoulli(self.mean, generator=generator)


class BinomialPixels:
    """Levels as the number of successes in 255 tosses; a mass, and far too narrow a one.

    Its deviation is 8 levels at the most, whatever the decoder's error is.
    """

    is_mass = True

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @property
    def mean(self) -> Tensor:
        """Expected share of successes."""
        return torch.sigmoid(self.logits)

    @property
    def standard_deviation(self) -> Tensor:
        """Of the share of successes."""
        return torch.sqrt(self.mean * torch.sigmoid(-self.logits) / LEVELS)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-probability of the levels in nats; finite at any logit."""
        loss = F.binary_cross_entropy_with_logits(self.logits, x, reduction="none")
        choose = _log_choose(x.device, x.dtype).take(level_index(x))
        return per_image(choose - LEVELS * loss)

    log_mass = log_prob

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Levels ``k / 255``."""
        count = torch.full_like(self.logits, LEVELS)
        return torch.binomial(count, self.mean, generator=generator) / LEVELS


@lru_cache(8)
def _log_choose(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Logarithm of 255 over k, for k in 0..255."""
    logs = [math.log(math.comb(LEVELS, k)) for k in range(LEVELS + 1)]
    return torch.tensor(logs, device=device, dtype=dtype)
