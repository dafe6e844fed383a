"""The encoder of the original report (Abecidan)."""

from torch import Tensor, nn

from vaesearch.models.blocks import Shape, scaled


class ConvEncoder(nn.Module):
    """The report's encoder: three strided convolutions, each Conv-ReLU-BatchNorm, then tanh.

    Args:
        shape: ``(C, H, W)`` of the images.
        width: multiplier on the channel counts.
    """

    def __init__(
        self, *, shape: Shape, width: float = 1.0, channels: tuple[int, ...] = (128, 256, 512)
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, side, _ = shape
        for count in scaled(channels, width):
            layers += [nn.Conv2d(inputs, count, 3, 2, 1), nn.ReLU(), nn.BatchNorm2d(count)]
            inputs, side = count, (side + 1) // 2
        self.layers = nn.Sequential(*layers, nn.Tanh(), nn.Flatten())
        self.features = inputs * side * side

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]``."""
        features: Tensor = self.layers(x)
        return features
