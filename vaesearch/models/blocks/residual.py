"""Residual blocks with group normalisation."""

from torch import Tensor, nn

GROUP_SIZE = 8
MOST_GROUPS = 32


def group_norm(channels: int) -> nn.GroupNorm:
    """Group normalisation in as many groups of 8 or more channels as divide ``channels``.

    Smaller groups would take out of a narrow network what its channels' means say (Wu & He 2018).
    """
    most = min(MOST_GROUPS, max(1, channels // GROUP_SIZE))
    groups = next(g for g in range(most, 0, -1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


class ResidualBlock(nn.Module):
    """x + conv(SiLU(norm(conv(SiLU(norm(x)))))), pre-activated (He et al. 2016).

    The last convolution starts at zero, so that a deep network starts as a shallow one (Goyal et
    al. 2017; Child 2021).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        self.layers = nn.Sequential(
            group_norm(channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            group_norm(channels),
            nn.SiLU(),
            last,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to one of the same shape."""
        return x + self.layers(x)  # type: ignore[no-any-return]
