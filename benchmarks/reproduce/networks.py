"""Dense networks of the papers, for settings such as ``encoder="networks:Encoder:size=200"``."""

from torch import Tensor, nn

Shape = tuple[int, int, int]


class Encoder(nn.Module):
    """Dense layers on the pixels (Cremer et al. 2018 have two of 200, or of 500, with ELU)."""

    def __init__(
        self, *, shape: Shape, size: int = 200, layers: int = 2, activation: str = "ELU"
    ) -> None:
        super().__init__()
        channels, height, breadth = shape
        self.layers = nn.Sequential(
            nn.Flatten(), *_dense(channels * height * breadth, size, layers, activation)
        )
        self.features = size

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[B, F]``."""
        features: Tensor = self.layers(x)
        return features


class Decoder(nn.Module):
    """The same from latents to maps of parameters."""

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        size: int = 200,
        layers: int = 2,
        activation: str = "ELU",
    ) -> None:
        super().__init__()
        _, height, breadth = shape
        self.layers = nn.Sequential(
            *_dense(latent_dim, size, layers, activation),
            nn.Linear(size, outputs * height * breadth),
            nn.Unflatten(1, (outputs, height, breadth)),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Maps ``[B, outputs, H, W]``."""
        maps: Tensor = self.layers(z)
        return maps


def _dense(inputs: int, size: int, layers: int, activation: str) -> list[nn.Module]:
    made: list[nn.Module] = []
    for _ in range(layers):
        made += [nn.Linear(inputs, size), getattr(nn, activation)()]
        inputs = size
    return made
