"""What the posteriors have in common: how they read features."""

import torch
from torch import Tensor

LOG_VARIANCE_RANGE = (-14.0, 10.0)


def at_least_float32(x: Tensor) -> Tensor:
    """``x`` with enough digits for a distribution; networks may run in bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def bounded_log_variance(raw: Tensor) -> Tensor:
    """``raw`` clamped far outside what a trained model uses.

    So one wild step early in training is a bad step and not an infinity.
    """
    return at_least_float32(raw).clamp(*LOG_VARIANCE_RANGE)
