"""Sub-pixel convolutions (Shi et al. 2016)."""

from torch import Tensor, nn

from vaesearch.models.blocks import (
    Shape,
    SubPixel,
    first_map,
    group_norm,
    halvings,
    per_scale,
    smallest_map,
)


class PixelShuffleDecoder(nn.Module):
    """Convolutions at small sizes whose channels become pixels, with no checkerboard at the start.

    The last of them makes the pixels themselves, so nothing runs at the image's full size.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        channels: of the scales from half the image's size on, at width 1; the last is repeated.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        width: float = 1.0,
        channels: tuple[int, ...] = (128, 256, 512),
    ) -> None:
        super().__init__()
        counts = per_scale(channels, width, shape[1])[: halvings(shape[1])]
        inputs = counts[-1]
        layers: list[nn.Module] = [first_map(latent_dim, inputs, smallest_map(shape))]
        for count in (*reversed(counts[:-1]), outputs):
            layers += [group_norm(inputs), nn.SiLU(), SubPixel(inputs, count)]
            inputs = count
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels
