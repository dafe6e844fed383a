"""Arrays of images become squares of the size that was asked for."""

import math

import numpy as np

from vaesearch.data.core import Pixels

CHUNK_VALUES = 1 << 24  # values resized at a time: 64 MiB in float32


def crop_square(images: Pixels) -> Pixels:
    """The largest square in the middle of each image, [N, C, H, W] to [N, C, S, S]."""
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[:, :, top : top + side, left : left + side]


def resize(images: Pixels, size: int) -> Pixels:
    """Scale square images, bilinearly and with antialiasing; the levels are rounded.

    Args:
        images: uint8 [N, C, S, S].
        size: pixels on a side of the result.

    Returns:
        uint8 [N, C, size, size]; the very levels of ``images`` where S is ``size`` already.
    """
    if images.shape[2] == size:
        return np.ascontiguousarray(images)
    result = np.empty((*images.shape[:2], size, size), np.uint8)
    step = max(1, CHUNK_VALUES // math.prod(images.shape[1:]))
    for start in range(0, len(images), step):
        result[start : start + step] = _resize_chunk(images[start : start + step], size)
    return result


def _resize_chunk(images: Pixels, size: int) -> Pixels:
    import torch
    from torch.nn.functional import interpolate

    levels = torch.from_numpy(images.astype(np.float32))
    scaled = interpolate(levels, (size, size), mode="bilinear", antialias=True)
    levels_8bit: Pixels = scaled.round_().clamp_(0, 255).to(torch.uint8).numpy()
    return levels_8bit
