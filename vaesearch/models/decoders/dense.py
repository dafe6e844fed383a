"""Dense layers to the pixels: two decoders of the original report (Abecidan)."""

from torch import Tensor, nn

from vaesearch.models.blocks import Shape, mlp, scaled


class MLPDecoder(nn.Module):
    """Dense layers with ReLU; any image size.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images.
        outputs: maps to make.
        width: multiplier on the layer sizes.
        hidden: layer sizes at width 1.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        hidden: tuple[int, ...],
        width: float = 1.0,
    ) -> None:
        super().__init__()
        sizes = scaled(hidden, width)
        _, height, breadth = shape
        self.layers = nn.Sequential(
            mlp(latent_dim, sizes),
            nn.Linear(sizes[-1], outputs * height * breadth),
            nn.Unflatten(1, (outputs, height, breadth)),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels
