"""Dense layers on the pixels."""

from torch import Tensor, nn

from vaesearch.models.blocks import Shape, mlp, scaled


class MLPEncoder(nn.Module):
    """Dense layers with ReLU on the flattened image.

    Args:
        shape: ``(C, H, W)`` of the images.
        width: multiplier on the layer sizes.
        hidden: layer sizes at width 1.
    """

    def __init__(
        self, *, shape: Shape, width: float = 1.0, hidden: tuple[int, ...] = (256, 256)
    ) -> None:
        super().__init__()
        sizes = scaled(hidden, width)
        channels, height, breadth = shape
        self.layers = nn.Sequential(nn.Flatten(), mlp(channels * height * breadth, sizes))
        self.features = sizes[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]``."""
        features: Tensor = self.layers(x)
        return features
