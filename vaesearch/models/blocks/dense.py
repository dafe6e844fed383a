"""Dense layers."""

from collections.abc import Sequence

from torch import nn


def mlp(inputs: int, hidden: Sequence[int]) -> nn.Sequential:
    """Linear-ReLU for each hidden size."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers)
