"""ConvNeXt's block (Liu et al. 2022)."""

import torch
from torch import Tensor, nn

SMALL_SCALE = 1e-6


class LayerNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of ``[B, C, H, W]``."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to one of the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """x + scale * MLP(norm(depthwise 7x7(x))), the MLP being four times as wide.

    The scale of each channel is learned from nearly zero.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.layers = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
        )
        self.scale = nn.Parameter(torch.full((channels,), SMALL_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to one of the same shape."""
        change: Tensor = self.scale * self.layers(self.depthwise(x).permute(0, 2, 3, 1))
        return x + change.permute(0, 3, 1, 2)
