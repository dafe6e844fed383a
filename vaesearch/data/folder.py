"""Images in a folder, flat or in sub-folders, brought to one size while they are read."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vaesearch.data.core import Pixels
from vaesearch.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
GREY_MODES = frozenset({"1", "L", "LA"})
DEEP_MODES = ("I", "F")  # 16 or 32 bits; Pillow would clip them at 255
# What Pillow raises on files that are not what they seem to be.
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def list_images(folder: Path) -> list[Path]:
    """All image files below ``folder`` in the order of their paths; nothing that is hidden.

    Raises:
        DataError: there is no image file at all.
    """
    paths = sorted(p for p in folder.rglob("*") if _is_image(p, folder))
    if not paths:
        raise DataError(f"no images in {folder}; looked for {', '.join(SUFFIXES)}, at any depth.")
    return paths


def _is_image(path: Path, folder: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    # Hidden files and folders are leftovers of other programs (._name.jpg, .thumbnails).
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def read_images(paths: Sequence[Path], size: int) -> Pixels:
    """Read image files as squares: the middle of each, scaled to ``size`` pixels on a side.

    Returns:
        uint8 [N, 1, size, size] if all images are grey, [N, 3, size, size] otherwise.

    Raises:
        DataError: a file cannot be read, or has more than 8 bits per channel.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        grey = _all_grey(pool.map(_mode, paths))
        channels = 1 if grey else 3
        images = np.empty((len(paths), channels, size, size), np.uint8)
        read = partial(_read_image, size=size, grey=grey)
        for index, image in enumerate(pool.map(read, paths)):
            images[index] = image
    return images


def _all_grey(modes: Iterable[str]) -> bool:
    return GREY_MODES.issuperset(modes)


def _mode(path: Path) -> str:
    """Pillow's word for the kind of pixels; only the head of the file is read."""
    try:
        with Image.open(path) as image:
            mode = image.mode
    except DAMAGE as error:
        raise _unreadable(path, error) from error
    if mode.startswith(DEEP_MODES):
        raise DataError(f"{path} has over 8 bits per channel ({mode}); save it with 8 bits.")
    return mode


def _read_image(path: Path, *, size: int, grey: bool) -> Pixels:
    """One file as uint8 [C, size, size]."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            plain = _without_palette(upright).convert("L" if grey else "RGB")
            square = ImageOps.fit(plain, (size, size), Image.Resampling.BILINEAR)
    except DAMAGE as error:
        raise _unreadable(path, error) from error
    return np.moveaxis(np.asarray(square).reshape(size, size, -1), -1, 0)


def _without_palette(image: Image.Image) -> Image.Image:
    # Pillow warns about palettes with transparency unless they pass through RGBA.
    return image.convert("RGBA") if "transparency" in image.info else image


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"cannot read the image {path} ({reason}); repair it or move it away.")
