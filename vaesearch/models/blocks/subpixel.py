"""Moving pixels between space and channels."""

import torch
from torch import Tensor, nn


class SubPixel(nn.Module):
    """A convolution at the small size, whose channels become the pixels of a map twice as large.

    The four pixels that come of one place start with the same weights (ICNR), so that the first
    outputs are those of nearest-neighbour upsampling, without a checkerboard (Shi et al. 2016;
    Aitken et al. 2017).
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, kernel_size, padding=kernel_size // 2)
        self.shuffle = nn.PixelShuffle(2)
        with torch.no_grad():
            for parameter in self.conv.parameters():
                parameter.copy_(parameter[::4].repeat_interleave(4, dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, outputs, 2H, 2W]``."""
        made: Tensor = self.shuffle(self.conv(x))
        return made


class SpaceToDepth(nn.Module):
    """Four pixels become channels, then a convolution, and past it a shortcut without weights.

    The shortcut averages channels in groups, or repeats them where there are too few, as in
    DC-AE (Chen et al. 2024). A map of an odd size is first lengthened by its last row and column.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.conv = nn.Conv2d(4 * inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, outputs, H / 2, W / 2]``, rounded up."""
        odd_rows, odd_columns = x.shape[2] % 2, x.shape[3] % 2
        if odd_rows or odd_columns:
            x = nn.functional.pad(x, (0, odd_columns, 0, odd_rows), mode="replicate")
        x = nn.functional.pixel_unshuffle(x, 2)
        return self.conv(x) + self._shortcut(x)  # type: ignore[no-any-return]

    def _shortcut(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        if channels % self.outputs == 0:
            groups = x.view(-1, self.outputs, channels // self.outputs, height, width)
            return groups.mean(dim=2)
        repeats = -(-self.outputs // channels)
        return x.repeat_interleave(repeats, dim=1)[:, : self.outputs]
