"""Sheets of small pictures with labels: every pixel a square, nothing smoothed."""

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vaesearch.report.figures import INK, write_file

_SIDE = 60  # pixels that a small picture is blown up to, at least
_GAP = 6
_PAIR_GAP = 2
_MARGIN = 10
_MOST_COLUMNS = 32
_LEAST_WIDTH = 420  # so that a title has room over few pictures
_TITLE, _SMALL = ImageFont.load_default(14), ImageFont.load_default(11)
_TITLE_LINE, _SMALL_LINE = 19, 15  # pixels from one line to the next


def sheet(
    tiles: np.ndarray,
    path: Path,
    *,
    title: str,
    columns: int | None = None,
    heads: Sequence[str] = (),
    rows: Sequence[str] = (),
    captions: Sequence[str] = (),
) -> None:
    """Lay tiles out in a grid on white, line by line, as a PNG at ``path``.

    Args:
        tiles: uint8 ``[N, K, C, H, W]``: K pictures above each other, grey (C = 1) or colour.
        path: of the PNG.
        title: written above, in as many lines as it needs.
        columns: tiles in a line; by default the sheet is about square.
        heads: written above each column.
        rows: written left of each line.
        captions: written below each tile.

    Raises:
        StorageError: the file cannot be written.
    """
    columns = columns or min(math.ceil(math.sqrt(tiles.shape[0] * tiles.shape[1])), _MOST_COLUMNS)
    cells = _cells(tiles)
    height, breadth = cells.shape[1:3]
    below = _SMALL_LINE if captions else 0
    left = _MARGIN + math.ceil(max(map(_SMALL.getlength, rows), default=-_GAP) + _GAP)
    lines = -(-len(cells) // columns)
    width = max(left + columns * (breadth + _GAP) - _GAP + _MARGIN, _LEAST_WIDTH)
    heading = _wrapped(title, width - 2 * _MARGIN)
    head = _MARGIN + len(heading) * _TITLE_LINE + _GAP
    top = head + (_SMALL_LINE if heads else 0)
    picture = Image.new("RGB", (width, top + lines * (height + below + _GAP) + _MARGIN), "white")
    pen = ImageDraw.Draw(picture)
    for line, words in enumerate(heading):
        pen.text((_MARGIN, _MARGIN + line * _TITLE_LINE), words, INK, _TITLE)
    for column, words in enumerate(heads):
        place = (left + column * (breadth + _GAP) + breadth / 2, head)
        pen.text(place, words, INK, _SMALL, anchor="ma")
    for index, cell in enumerate(cells):
        line, column = divmod(index, columns)
        x, y = left + column * (breadth + _GAP), top + line * (height + below + _GAP)
        picture.paste(Image.fromarray(cell), (x, y))
        if captions:
            pen.text((x + breadth / 2, y + height + 1), captions[index], INK, _SMALL, anchor="ma")
        if rows and column == 0:
            pen.text((_MARGIN, y + height / 2), rows[line], INK, _SMALL, anchor="lm")
    content = BytesIO()
    picture.save(content, format="PNG", optimize=True)
    write_file(path, content.getvalue())


def _cells(tiles: np.ndarray) -> np.ndarray:
    """Tiles as pictures to paste, uint8 ``[N, H', W', 3]``."""
    scale = max(1, round(_SIDE / max(tiles.shape[-2:])))
    blown = tiles.repeat(scale, axis=3).repeat(scale, axis=4)
    if blown.shape[2] == 1:
        blown = blown.repeat(3, axis=2)
    parts = []
    for place in range(blown.shape[1]):
        parts.append(blown[:, place].transpose(0, 2, 3, 1))
        parts.append(np.full_like(parts[-1][:, :_PAIR_GAP], 255))
    return np.ascontiguousarray(np.concatenate(parts[:-1], axis=1))


def _wrapped(text: str, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _TITLE.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
