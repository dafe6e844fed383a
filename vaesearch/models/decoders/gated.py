"""Gated convolutions, as in the networks of Tomczak & Welling 2018."""

from torch import Tensor, nn

from vaesearch.models.blocks import (
    GatedConv,
    Shape,
    check_blocks,
    first_map,
    per_scale,
    smallest_map,
)


class GatedDecoder(nn.Module):
    """Doublings by repeated pixels, each followed by gated convolutions; no normalisation.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        blocks: further gated convolutions at each scale.
        channels: of the scales at width 1, the image's first; the last one is repeated.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        width: float = 1.0,
        blocks: int = 1,
        channels: tuple[int, ...] = (32, 64, 128),
    ) -> None:
        super().__init__()
        check_blocks(blocks, lowest=0)
        inputs, *rest = reversed(per_scale(channels, width, shape[1]))
        layers: list[nn.Module] = [
            first_map(latent_dim, 2 * inputs, smallest_map(shape)),
            nn.GLU(1),
        ]
        for count in rest:
            layers += [nn.Upsample(scale_factor=2), GatedConv(inputs, count)]
            layers += [GatedConv(count, count) for _ in range(blocks)]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, outputs, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels
