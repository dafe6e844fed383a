"""Pixels to channels: the mirror of the sub-pixel decoder."""

from torch import Tensor, nn

from vaesearch.models.blocks import Shape, SpaceToDepth, group_norm, halvings, last_side, per_scale


class SpaceToDepthEncoder(nn.Module):
    """Halves the side by moving pixels into channels, each time with a shortcut past the weights.

    Args:
        shape: ``(C, H, W)`` of the images.
        width: multiplier on the channel counts.
        channels: of the scales from half the image's size on, at width 1; the last is repeated.
    """

    def __init__(
        self, *, shape: Shape, width: float = 1.0, channels: tuple[int, ...] = (128, 256, 512)
    ) -> None:
        super().__init__()
        inputs = shape[0]
        layers: list[nn.Module] = []
        for count in per_scale(channels, width, shape[1])[: halvings(shape[1])]:
            layers += [SpaceToDepth(inputs, count), group_norm(count), nn.SiLU()]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.features = inputs * last_side(shape[1]) ** 2

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]``."""
        features: Tensor = self.layers(x)
        return features
