"""How many channels and pixels the maps inside a network have.

A network works at scales 0, 1, ..., k: scale 0 is the image, each next one has half the side, and
the last one has 4 to 7 pixels a side: 28 -> 14 -> 7, 32 -> 16 -> 8 -> 4, 64 -> ... -> 4. An image
of less than 8 pixels is halved once all the same.
"""

from collections.abc import Sequence

from torch import nn

from vaesearch.errors import InputError

Shape = tuple[int, int, int]
SMALLEST = 4


def scaled(channels: Sequence[int], width: float) -> tuple[int, ...]:
    """Channel counts times ``width``, rounded, at least 1."""
    return tuple(max(1, round(c * width)) for c in channels)


def halvings(size: int) -> int:
    """How often a side of ``size`` pixels can be halved with 4 or more left; at least once.

    >>> [halvings(size) for size in (6, 8, 28, 32, 64)]
    [1, 1, 2, 3, 4]
    """
    return max(1, (size // SMALLEST).bit_length() - 1)


def last_side(size: int) -> int:
    """Side of an encoder's last map, each half being rounded up.

    >>> [last_side(size) for size in (6, 8, 28, 33, 64)]
    [3, 4, 7, 5, 4]
    """
    return -(-size // (1 << halvings(size)))


def per_scale(channels: Sequence[int], width: float, size: int) -> tuple[int, ...]:
    """Channels of scale 0 to the last; a large image has more scales, which repeat the last count.

    >>> per_scale((64, 128, 256), 0.5, 64)
    (32, 64, 128, 128, 128)
    """
    scales = halvings(size) + 1
    filled = [*channels, *[channels[-1]] * scales]
    return scaled(filled[:scales], width)


def smallest_map(shape: Shape) -> int:
    """Side of a decoder's first map, which doublings bring to the image's size.

    Raises:
        InputError: no whole number of pixels does; names the nearest size that can be made.
    """
    factor = 1 << halvings(shape[1])
    if shape[1] % factor:
        raise InputError(
            f"this decoder doubles maps of 4 to 7 pixels, so here it makes images whose size is a "
            f"multiple of {factor}, not {shape[1]}: "
            f"use --image-size {max(1, round(shape[1] / factor)) * factor} or another decoder."
        )
    return shape[1] // factor


def first_map(latent_dim: int, channels: int, side: int) -> nn.Sequential:
    """A dense layer from z ``[B, D]`` to a map ``[B, channels, side, side]``."""
    return nn.Sequential(
        nn.Linear(latent_dim, channels * side * side), nn.Unflatten(1, (channels, side, side))
    )


def check_blocks(blocks: object, lowest: int = 1) -> None:
    """Refuse what is no count of blocks.

    Raises:
        InputError: not a whole number, or too small or large.
    """
    if type(blocks) is not int or not lowest <= blocks <= 64:
        raise InputError(f"blocks must be a whole number from {lowest} to 64, not {blocks!r}.")
