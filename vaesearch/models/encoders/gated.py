"""Gated convolutions, as in the networks of Tomczak & Welling 2018."""

from torch import Tensor, nn

from vaesearch.models.blocks import GatedConv, Shape, check_blocks, last_side, per_scale


class GatedEncoder(nn.Module):
    """Strided gated convolutions to maps of 4 to 7 pixels, with others between; no normalisation.

    Args:
        shape: ``(C, H, W)`` of the images.
        width: multiplier on the channel counts.
        blocks: gated convolutions after each strided one.
        channels: of the scales at width 1, the image's first; the last one is repeated.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        width: float = 1.0,
        blocks: int = 1,
        channels: tuple[int, ...] = (32, 64, 128),
    ) -> None:
        super().__init__()
        check_blocks(blocks, lowest=0)
        first, *rest = per_scale(channels, width, shape[1])
        layers: list[nn.Module] = [GatedConv(shape[0], first, 5)]
        inputs = first
        for count in rest:
            layers += [GatedConv(inputs, count, 3, 2)]
            layers += [GatedConv(count, count) for _ in range(blocks)]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.features = inputs * last_side(shape[1]) ** 2

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]``."""
        features: Tensor = self.layers(x)
        return features
