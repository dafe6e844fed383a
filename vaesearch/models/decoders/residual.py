"""Residual blocks, as in the decoders of NVAE and of latent diffusion."""

from torch import Tensor, nn

from vaesearch.models.blocks import (
    ResidualBlock,
    Shape,
    check_blocks,
    first_map,
    group_norm,
    per_scale,
    smallest_map,
)


class ResidualDecoder(nn.Module):
    """Residual blocks at each scale, between them doublings by repeated pixels and a convolution.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        blocks: at each scale but the image's own.
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
        channels: tuple[int, ...] = (64, 128, 256),
    ) -> None:
        super().__init__()
        check_blocks(blocks)
        inputs, *rest = reversed(per_scale(channels, width, shape[1]))
        layers: list[nn.Module] = [first_map(latent_dim, inputs, smallest_map(shape))]
        for count in rest:
            layers += [ResidualBlock(inputs) for _ in range(blocks)]
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, count, 3, padding=1)]
            inputs = count
        layers += [group_norm(inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels
