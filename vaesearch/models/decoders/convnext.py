"""ConvNeXt (Liu et al. 2022), from small maps to large ones."""

from torch import Tensor, nn

from vaesearch.models.blocks import (
    ConvNeXtBlock,
    LayerNorm,
    Shape,
    SubPixel,
    check_blocks,
    first_map,
    halvings,
    per_scale,
    smallest_map,
)


class ConvNeXtDecoder(nn.Module):
    """ConvNeXt blocks and doublings in turn; the last doubling makes the pixels.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        blocks: at each scale but the image's own.
        channels: of the scales from half the image's size on, at width 1; the last is repeated.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        width: float = 1.0,
        blocks: int = 2,
        channels: tuple[int, ...] = (96, 192, 384),
    ) -> None:
        super().__init__()
        check_blocks(blocks)
        counts = per_scale(channels, width, shape[1])[: halvings(shape[1])]
        inputs = counts[-1]
        layers: list[nn.Module] = [first_map(latent_dim, inputs, smallest_map(shape))]
        for count in (*reversed(counts[:-1]), outputs):
            layers += [ConvNeXtBlock(inputs) for _ in range(blocks)]
            layers += [LayerNorm(inputs), SubPixel(inputs, count, 1)]
            inputs = count
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels
