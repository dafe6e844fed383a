"""ConvNeXt (Liu et al. 2022)."""

from torch import Tensor, nn

from vaesearch.models.blocks import (
    ConvNeXtBlock,
    LayerNorm,
    Shape,
    check_blocks,
    halvings,
    per_scale,
)


class ConvNeXtEncoder(nn.Module):
    """Patches of 2x2 pixels, then ConvNeXt blocks and halvings in turn.

    Args:
        shape: ``(C, H, W)`` of the images.
        width: multiplier on the channel counts.
        blocks: at each scale but the image's own.
        channels: of the scales from half the image's size on, at width 1; the last is repeated.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        width: float = 1.0,
        blocks: int = 2,
        channels: tuple[int, ...] = (96, 192, 384),
    ) -> None:
        super().__init__()
        check_blocks(blocks)
        inputs, side = shape[0], shape[1]
        layers: list[nn.Module] = []
        for count in per_scale(channels, width, side)[: halvings(side)]:
            if layers:
                layers.append(LayerNorm(inputs))
            # Patches that do not overlap; a map of an odd size is padded.
            layers += [nn.Conv2d(inputs, count, 2, 2, padding=side % 2)]
            layers += [ConvNeXtBlock(count) for _ in range(blocks)]
            inputs, side = count, (side + 1) // 2
        self.layers = nn.Sequential(*layers, LayerNorm(inputs), nn.Flatten())
        self.features = inputs * side * side

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]``."""
        features: Tensor = self.layers(x)
        return features
