"""Pieces that encoders and decoders share."""

from collections.abc import Sequence

from torch import nn


def scaled(channels: Sequence[int], width: float) -> tuple[int, ...]:
    """Channel counts times ``width``, rounded, at least 1."""
    return tuple(max(1, round(c * width)) for c in channels)


def mlp(inputs: int, hidden: Sequence[int]) -> nn.Sequential:
    """Linear-ReLU for each hidden size."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers)
