"""z in groups, one for each scale (Sønderby et al. 2016; skip connections: Child 2021)."""

from itertools import pairwise

from torch import Tensor, nn

from vaesearch.models.blocks import (
    ResidualBlock,
    Shape,
    first_map,
    group_norm,
    per_scale,
    smallest_map,
)
from vaesearch.models.ladder import LEVELS, group_sizes


class LadderDecoder(nn.Module):
    """Residual blocks and doublings, to which each scale adds a group of z of its own.

    The first group makes the smallest map, and each next one enters a scale further on; where
    there are more groups than scales, the rest enter at the image's own. It takes any z; with
    the ladder posterior and prior, later groups depend on earlier ones.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        levels: groups of z, 2 to 4.
        channels: of the scales at width 1, the image's first; the last one is repeated.
    """

    def __init__(
        self,
        levels: int = LEVELS,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        width: float = 1.0,
        channels: tuple[int, ...] = (64, 128, 256),
    ) -> None:
        super().__init__()
        self.sizes = group_sizes(latent_dim, levels)
        counts = tuple(reversed(per_scale(channels, width, shape[1])))
        side = smallest_map(shape)
        # A group for each scale; if there are more groups, the rest share the last scale.
        self.scales = [min(group, len(counts) - 1) for group in range(len(self.sizes))]
        self.inputs = nn.ModuleList(
            first_map(size, counts[scale], side << scale)
            for size, scale in zip(self.sizes, self.scales, strict=True)
        )
        self.doublings = nn.ModuleList(_doubling(*pair) for pair in pairwise(counts))
        self.last = nn.Sequential(
            group_norm(counts[-1]), nn.SiLU(), nn.Conv2d(counts[-1], outputs, 3, padding=1)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        groups = z.split_with_sizes(self.sizes, dim=1)
        maps = [make(group) for make, group in zip(self.inputs, groups, strict=True)]
        x: Tensor = maps[0]
        for scale, double in enumerate(self.doublings, start=1):
            x = double(x)
            for enters_at, further in zip(self.scales[1:], maps[1:], strict=True):
                if enters_at == scale:
                    x = x + further
        pixels: Tensor = self.last(x)
        return pixels


def _doubling(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        ResidualBlock(inputs),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(inputs, outputs, 3, padding=1),
    )
