"""Nearest-neighbour upsampling and convolutions."""

from torch import Tensor, nn

from vaesearch.models.blocks import Shape, first_map, group_norm, per_scale, smallest_map


class UpsampleDecoder(nn.Module):
    """Doubles by repeating pixels, then a 3x3 convolution: no checkerboard (Odena et al. 2016).

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        channels: of the scales at width 1, the image's first; the last one is repeated.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        width: float = 1.0,
        channels: tuple[int, ...] = (64, 128, 256),
    ) -> None:
        super().__init__()
        inputs, *rest = reversed(per_scale(channels, width, shape[1]))
        layers: list[nn.Module] = [
            first_map(latent_dim, inputs, smallest_map(shape)), group_norm(inputs), nn.SiLU()
        ]  # fmt: skip
        for count in rest:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, count, 3, padding=1)]
            layers += [group_norm(count), nn.SiLU()]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, outputs, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels
