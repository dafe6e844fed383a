"""Gated convolutions (van den Oord et al. 2016; in VAEs: Tomczak & Welling 2018)."""

import torch
from torch import Tensor, nn

# E[sigmoid(g)^2] = 0.294 for standard normal g: this gain makes up for it.
GAIN = 1.85


class GatedConv(nn.Module):
    """h * sigmoid(g), with h and g convolutions of the input.

    There is no normalisation, so the weights start such that a map keeps its variance.
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 2 * outputs, kernel_size, stride, kernel_size // 2)
        deviation = (inputs * kernel_size**2) ** -0.5
        with torch.no_grad():
            self.conv.weight[:outputs].normal_(std=GAIN * deviation)
            self.conv.weight[outputs:].normal_(std=deviation)
            self.conv.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, outputs, H', W']``."""
        return nn.functional.glu(self.conv(x), dim=1)
