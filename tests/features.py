"""Extractors of a user's own, to be named in tests as ``features:Blocks``."""

import torch
from torch import nn
from torch.nn import functional as F


class Blocks(nn.Module):
    """Means over squares of pixels, 16 of them, and how many pictures it was ever shown."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale))
        self.seen = []

    def forward(self, x):
        self.seen.append(len(x))
        return self.scale * F.adaptive_avg_pool2d(x, 4).flatten(1)


class Maps(nn.Module):
    """No vectors."""

    def forward(self, x):
        return x


class Named(Blocks):
    """With a digest of its own."""

    digest = "mine"


class Diverged(Blocks):
    def forward(self, x):
        return super().forward(x) / 0


def function():
    """No module."""
    return len
