"""Transposed convolutions: three decoders of the original report (Abecidan)."""

from torch import Tensor, nn

from vaesearch.errors import InputError
from vaesearch.models.blocks import Shape, scaled


class DeconvDecoder(nn.Module):
    """Transposed convolutions, each ConvT-ReLU-BatchNorm and doubling the size.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images; H must be a multiple of 2 to the number of
            ``channels``.
        outputs: maps to make.
        width: multiplier on the channel counts.
        channels: of the layers at width 1; the last layer to the pixels comes on top.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        shape: Shape,
        outputs: int,
        channels: tuple[int, ...],
        width: float = 1.0,
    ) -> None:
        super().__init__()
        counts = scaled(channels, width)
        layers: list[nn.Module] = [nn.Unflatten(1, (latent_dim, 1, 1))]
        inputs = latent_dim
        for index, count in enumerate(counts):
            layers += [_up(inputs, count, first_size(shape, counts), index == 0)]
            layers += [nn.ReLU(), nn.BatchNorm2d(count)]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(inputs, outputs, 4, 2, 1))

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels


class LinearDeconvDecoder(nn.Module):
    """A dense layer to half the latent size, then transposed convolutions with SELU.

    The report used 512-256-128-64 channels on grey images and 1024-512-256 on colour.

    Args:
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images; H must be a multiple of 16 for grey and 8 for
            colour images.
        outputs: maps to make.
        width: multiplier on the channel counts.
    """

    def __init__(self, *, latent_dim: int, shape: Shape, outputs: int, width: float = 1.0) -> None:
        super().__init__()
        counts = scaled((512, 256, 128, 64) if shape[0] == 1 else (1024, 512, 256), width)
        inputs = max(1, latent_dim // 2)
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, inputs), nn.ReLU(), nn.Unflatten(1, (inputs, 1, 1))
        ]  # fmt: skip
        for index, count in enumerate(counts):
            layers += [_up(inputs, count, first_size(shape, counts), index == 0), nn.SELU()]
            inputs = count
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(inputs, outputs, 4, 2, 1))

    def forward(self, z: Tensor) -> Tensor:
        """Pixel parameters ``[B, outputs, H, W]`` of latents ``[B, D]``."""
        pixels: Tensor = self.layers(z)
        return pixels


def first_size(shape: Shape, counts: tuple[int, ...]) -> int:
    """Side of the first feature map, so that ``len(counts)`` doublings end at the image's size.

    Raises:
        InputError: there is no such whole number.
    """
    factor = 1 << len(counts)
    if shape[1] % factor:
        raise InputError(
            f"this decoder makes images whose size is a multiple of {factor}, not {shape[1]}: "
            f"use --image-size {max(1, round(shape[1] / factor)) * factor} or another decoder."
        )
    return shape[1] // factor


def _up(inputs: int, outputs: int, size: int, is_first: bool) -> nn.ConvTranspose2d:
    """The first layer makes a ``size`` x ``size`` map of one cell, the others double."""
    if is_first:
        return nn.ConvTranspose2d(inputs, outputs, size, 1, 0)
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
