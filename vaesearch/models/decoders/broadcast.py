"""The spatial broadcast decoder (Watters et al. 2019)."""

import torch
from torch import Tensor, nn

from vaesearch.models.blocks import Shape, check_blocks, scaled


class BroadcastDecoder(nn.Module):
    """z at every pixel beside the pixel's coordinates, then convolutions; makes any size.

    Nothing is upsampled: each layer runs at the image's full size. ELU in place of the paper's
    ReLU, since narrow layers lose too much by units that are off for good.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the channel counts.
        blocks: convolutions before the last one.
        channels: of each at width 1.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        width: float = 1.0,
        blocks: int = 4,
        channels: int = 64,
    ) -> None:
        super().__init__()
        check_blocks(blocks)
        (count,) = scaled([channels], width)
        inputs = latent_dim + 2
        layers: list[nn.Module] = []
        for _ in range(blocks):
            conv = nn.Conv2d(inputs, count, 3, padding=1)
            # Without normalisation, torch's own start would have z fade from layer to layer.
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            layers += [conv, nn.ELU()]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, outputs, 1))
        self.register_buffer("coordinates", _coordinates(*shape[1:]), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        coordinates: Tensor = self.coordinates  # type: ignore[assignment]
        height, breadth = coordinates.shape[1:]
        tiled = z[:, :, None, None].expand(-1, -1, height, breadth)
        pixels: Tensor = self.layers(
            torch.cat([tiled, coordinates.expand(len(z), -1, -1, -1)], dim=1)
        )
        return pixels


def _coordinates(height: int, breadth: int) -> Tensor:
    """Row and column of each pixel from -1 to 1, ``[2, H, W]``."""
    rows, columns = (torch.linspace(-1, 1, count) for count in (height, breadth))
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
