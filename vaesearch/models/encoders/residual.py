"""Residual blocks, as in the encoders of NVAE and of latent diffusion."""

from torch import Tensor, nn

from vaesearch.models.blocks import (
    ResidualBlock,
    Shape,
    check_blocks,
    group_norm,
    last_side,
    per_scale,
)


class ResidualEncoder(nn.Module):
    """Strided convolutions to maps of 4 to 7 pixels, with residual blocks after each.

    Args:
        shape: ``(C, H, W)`` of the images.
        width: multiplier on the channel counts.
        blocks: at each scale but the image's own.
        channels: of the scales at width 1, the image's first; the last one is repeated.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        width: float = 1.0,
        blocks: int = 1,
        channels: tuple[int, ...] = (64, 128, 256),
    ) -> None:
        super().__init__()
        check_blocks(blocks)
        first, *rest = per_scale(channels, width, shape[1])
        layers: list[nn.Module] = [nn.Conv2d(shape[0], first, 3, padding=1)]
        inputs = first
        for count in rest:
            layers += [nn.Conv2d(inputs, count, 3, 2, 1)]
            layers += [ResidualBlock(count) for _ in range(blocks)]
            inputs = count
        self.layers = nn.Sequential(*layers, group_norm(inputs), nn.SiLU(), nn.Flatten())
        self.features = inputs * last_side(shape[1]) ** 2

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]``."""
        features: Tensor = self.layers(x)
        return features
