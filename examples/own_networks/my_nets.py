"""Networks of your own; in this folder try the command below.

vaesearch bandit --dataset digits --encoders my_nets:MyEncoder \
    --decoders mlp,my_nets:MyDecoder,my_nets:MyDecoder:depth=3 --epochs 12
"""

from itertools import pairwise
from math import prod

from torch import Tensor, nn


class MyEncoder(nn.Module):
    """Two convolutions; how many features they make is found out by running them once."""

    def __init__(self, *, shape: tuple[int, int, int], width: float = 1.0) -> None:
        super().__init__()
        channels = max(1, round(64 * width))
        self.layers = nn.Sequential(
            nn.Conv2d(shape[0], channels, 4, stride=4),
            nn.SiLU(),
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W], pixels in [0, 1], to features [B, F]."""
        return self.layers(x)


class MyDecoder(nn.Module):
    """Dense layers; `depth` is an argument of its own: my_nets:MyDecoder:depth=3."""

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: tuple[int, int, int],
        outputs: int,
        width: float = 1.0,
        depth: int = 2,
    ) -> None:
        super().__init__()
        _, height, breadth = shape
        units = max(1, round(512 * width))
        sizes = [latent_dim, *[units] * depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.SiLU()]
        maps = (outputs, height, breadth)
        layers += [nn.Linear(units, prod(maps)), nn.Unflatten(1, maps)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """[B, latent_dim] to maps [B, outputs, H, W], from which p(x|z) is made."""
        return self.layers(z)
