"""Files of pictures: a PNG to look at, or the arrays to go on with."""

import os
from dataclasses import fields
from functools import singledispatch
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from vaesearch.errors import InputError
from vaesearch.gallery.images import Reconstructions
from vaesearch.gallery.paths import Interpolation, Traversal
from vaesearch.gallery.samples import Samples
from vaesearch.report.figures import write_file
from vaesearch.report.latent_map import LatentMap, draw_map
from vaesearch.report.sheets import sheet
from vaesearch.report.uncertainty import expectations

SUFFIXES = (".png", ".npz")
MOST_PICTURES = 4096  # of a PNG


def check_target(path: Path) -> None:
    """Refuse a place for pictures before any is made.

    Raises:
        InputError: of no known kind, a folder, or where nothing can be written.
    """
    if path.is_dir():
        raise InputError(f"--out {path} is a folder: add a file name, as in {path / 'out.png'}.")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"--out {path}: files end in .png, a picture, or in .npz, arrays for numpy."
        )
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise InputError(f"--out {path}: cannot write in {above}; name another folder.")


def write(pictures: Any, path: Path) -> None:
    """Write what a function of this package returned, as its name's ending says.

    Args:
        pictures: such as :class:`Samples`.
        path: ``.png``, or ``.npz`` with all arrays under the names of the attributes.

    Raises:
        InputError: another ending, or more pictures than a PNG can show.
        StorageError: the file cannot be written.
    """
    check_target(path)
    if path.suffix.lower() == ".png":
        _draw(pictures, path)
        return
    content = BytesIO()
    np.savez_compressed(content, allow_pickle=False, **_arrays(pictures))
    write_file(path, content.getvalue())


def _arrays(pictures: Any) -> dict[str, np.ndarray]:
    values = {field.name: getattr(pictures, field.name) for field in fields(pictures)}
    return {name: np.asarray(value) for name, value in values.items() if value is not None}


@singledispatch
def _draw(pictures: Any, path: Path) -> None:
    raise TypeError(f"{type(pictures).__name__} is no kind of pictures")


@_draw.register
def _(pictures: Samples, path: Path) -> None:
    _check_count(len(pictures.images))
    sheet(pictures.images[:, None], path, title=pictures.title)


@_draw.register
def _(pictures: Reconstructions, path: Path) -> None:
    _check_count(2 * len(pictures.originals))
    if pictures.deviations is not None:
        expectations(
            pictures.originals, pictures.reconstructions, pictures.deviations, path,
            title=pictures.title,
        )  # fmt: skip
        return
    sheet(
        np.stack([pictures.originals, pictures.reconstructions], axis=1),
        path,
        title=f"{pictures.title}, with number and squared error per pixel",
        captions=[
            f"{index}: {error:.4f}"
            for index, error in zip(pictures.indices, pictures.errors, strict=True)
        ],
    )


@_draw.register
def _(pictures: Traversal, path: Path) -> None:
    rows = [f"z{latent}  {pictures.scores[latent]:.2f}" for latent in pictures.moved]
    sheet(
        pictures.images.reshape(-1, 1, *pictures.images.shape[2:]),
        path,
        title=f"{pictures.title}; beside it its {pictures.measure}",
        columns=len(pictures.values),
        heads=[f"{value:g}" for value in pictures.values.round(2)],
        rows=rows,
    )


@_draw.register
def _(pictures: Interpolation, path: Path) -> None:
    sheet(**_with_originals(pictures), path=path, title=pictures.title)


@_draw.register
def _(pictures: LatentMap, path: Path) -> None:
    draw_map(pictures, path)


def _with_originals(pictures: Interpolation) -> dict[str, Any]:
    """The path, or the sheet, between the images that its ends are codes of."""
    grid = pictures.images if len(pictures.originals) == 4 else pictures.images[None]
    lines, steps = grid.shape[:2]
    tiles = np.full((lines, steps + 2, *grid.shape[2:]), 255, np.uint8)
    tiles[:, 1:-1] = grid
    tiles[0, 0], tiles[0, -1] = pictures.originals[:2]
    if lines > 1:
        tiles[-1, 0], tiles[-1, -1] = pictures.originals[2:]
    shares = [f"{share:.2f}" for share in np.linspace(0, 1, steps)]
    return {
        "tiles": tiles.reshape(-1, 1, *grid.shape[2:]),
        "columns": steps + 2,
        "heads": ["image", *shares, "image"],
    }


def _check_count(count: int) -> None:
    if count > MOST_PICTURES:
        raise InputError(
            f"{count} pictures are too many for one PNG, {MOST_PICTURES} at most: "
            "write arrays, as in --out samples.npz."
        )
