"""What each encoder or decoder would cost on given images, for ``vaesearch list``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from vaesearch import catalogue
from vaesearch.catalogue import Entry
from vaesearch.cli.text import plain_table
from vaesearch.config import Config
from vaesearch.errors import InputError
from vaesearch.models.cost import Cost, Part, model_cost
from vaesearch.objectives import Loss

MANY = 1 << 20  # images, so that the batch is the one of a dataset that is not small
_DASH = "-"


@dataclass(frozen=True)
class Row:
    """An entry with its cost, or why it has none.

    Attributes:
        entry: of the catalogue.
        cost: of a model with it.
        part: its own share of that.
        reason: why it cannot be had.
    """

    entry: Entry
    cost: Cost | None = None
    part: Part | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data; FLOPs are per image, memory is in bytes."""
        figures: dict[str, Any] = {"reason": self.reason}
        if self.cost and self.part:
            figures = asdict(self.part)
            figures |= {"step_flops": self.cost.step_flops, "memory": self.cost.memory}
        return {"name": self.entry.name, "summary": self.entry.summary} | figures


def known_shape(config: Config) -> tuple[int, int, int]:
    """``(C, H, W)`` of the images; those with a name of ours are neither read nor downloaded.

    Raises:
        DataError: a dataset of the user's own cannot be read.
        InputError: no such dataset.
    """
    size = config.image_size
    for entry in catalogue.DATASETS:
        if entry.name == config.dataset:
            return (3 if "colour" in entry.traits else 1, size, size)
    from vaesearch.data import load_images

    data_dir = Path(config.data_dir)
    return load_images(
        config.dataset, data_dir=data_dir, image_size=size, pixels=config.pixels
    ).shape


def cost_rows(axis: str, config: Config, shape: tuple[int, int, int]) -> list[Row]:
    """Each member of ``axis`` with its cost; ``config`` is resolved and says what goes with it.

    Raises:
        InputError: no member can be had, so it is what should go with them that does not fit.
    """
    rows = [_row(axis, entry, config, shape) for entry in catalogue.AXES[axis]]
    if all(row.reason for row in rows):
        raise InputError(rows[0].reason)
    return rows


def _row(axis: str, entry: Entry, config: Config, shape: tuple[int, int, int]) -> Row:
    settings = config.changed(**{axis: entry.name}).arms()[0].settings
    try:
        cost = model_cost(settings, shape, Loss(settings))
    except InputError as error:
        return Row(entry, reason=str(error))
    return Row(entry, cost, cost.decoder if axis == "decoders" else cost.encoder)


def cost_listing(axis: str, config: Config, shape: tuple[int, int, int]) -> RenderableType:
    """The costs as a table, and what they hold for."""
    table = plain_table(axis)
    table.add_column("name", no_wrap=True, style="bold")
    for header in ("parameters", "FLOPs", "a step", "memory"):
        table.add_column(header, justify="right")
    table.add_column("summary")
    for row in cost_rows(axis, config, shape):
        table.add_row(*(Text(cell) for cell in _cells(row)))
    return Group(table, Text(_caption(axis, config, shape), style="dim"))


def _cells(row: Row) -> tuple[str, ...]:
    if row.cost is None or row.part is None:
        return (row.entry.name, _DASH, _DASH, _DASH, _DASH, row.reason)
    return (
        row.entry.name,
        _with_prefix(row.part.parameters),
        _with_prefix(row.part.flops),
        _with_prefix(row.cost.step_flops),
        f"{row.cost.memory / 2**20:,.0f} MiB",
        row.entry.summary,
    )


def _caption(axis: str, config: Config, shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    other = "decoder" if axis == "encoders" else "encoder"
    name = getattr(config.arms()[0].settings, other)
    own = "The decoder's own" if axis == "decoders" else "The encoder's own, with the posterior:"
    return (
        f"Width {config.width:g}, images {height}x{width}x{channels}, z of {config.latent_dim}, "
        f"{other} {name}.\n"
        f"{own} parameters, and FLOPs of a forward pass for each image.\n"
        "Of the whole model: FLOPs of a training step for each image, and the memory to\n"
        f"train on batches of {config.batch_size} in float32.\n"
    )


def _with_prefix(count: float) -> str:
    """Three digits and a prefix.

    >>> _with_prefix(702_848), _with_prefix(12_133_633), _with_prefix(542.2e6), _with_prefix(1.9e9)
    ('703 k', '12.1 M', '542 M', '1.90 G')
    """
    for size, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= 0.9995 * size:
            scaled = count / size
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:.{digits}f}{prefix}"
    return f"{count:.0f}"
