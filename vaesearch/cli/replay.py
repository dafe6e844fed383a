"""``vaesearch replay``: what other policies would have done, as a table, a picture and JSON."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vaesearch.cli.places import RUN_PLACE, Place
from vaesearch.report.comparison import Comparison, headers, notes, table, title, to_data

_LEFT = 2  # columns of words: the policy and the arm
_WIDEST = 160


@click.command()
@click.argument("source", metavar="CURVES_OR_RUN_DIR", type=RUN_PLACE)
@click.option("--policy", "policies", multiple=True, help="may be given several times")
@click.option("--epochs", type=int, help="budget of each replay; default that of the run")
@click.option("--seconds", type=float, help="budget on the replay's clock")
@click.option("--max-epochs-per-arm", type=int, help="cap on the epochs of one arm")
@click.option("--workers", type=int, help="pulls side by side; default as in the run")
@click.option("--seed", type=int, help="first seed of the policies; default that of the run")
@click.option("--repeats", type=int, default=5, show_default=True, help="seeds of each policy")
@click.option("--out", type=click.Path(path_type=Path),
              help="folder for replay.png and replay.json; default RUN_DIR/replay")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
def replay(
    source: Place,
    policies: tuple[str, ...],
    seed: int | None,
    repeats: int,
    out: Path | None,
    as_json: bool,
    **limits: Any,
) -> None:
    """What other policies would have done with the same budget, on recorded curves.

    CURVES_OR_RUN_DIR is a run directory, or a file of recorded curves such as the curves.json.gz
    that every finished run leaves.
    """
    from vaesearch.hindsight import Limits, in_hindsight, write_comparison

    console = Console(stderr=True)
    status = console.status("replaying") if console.is_terminal else nullcontext()
    with status as shown:
        comparison = in_hindsight(
            source, policies, limits=Limits(**limits), seed=seed, repeats=repeats,
            progress=lambda policy: shown.update(f"replaying {policy}") if shown else None,
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(to_data(comparison), indent=2))
    else:
        show(comparison, Console())
    # Last, for a run directory may be another's and not be written in: the table is there then.
    for path in write_comparison(comparison, out):
        if not as_json:
            click.echo(f"Written: {path}")


def show(comparison: Comparison, console: Console) -> None:
    """Print the table and what it means."""
    # A line that the terminal wraps is better than figures without their last digits.
    width, console.width = console.width, max(console.width, _WIDEST)
    console.print(Text(title(comparison)), width=width)
    console.print(_table(comparison))
    for note in notes(comparison):
        console.print(Text(note), width=width)


def _table(comparison: Comparison) -> Table:
    grid = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for place, header in enumerate(headers(comparison)):
        named = place < _LEFT
        grid.add_column(header, justify="left" if named else "right", no_wrap=True)
    for cells in table(comparison):
        own = comparison.own == cells[0]
        grid.add_row(*map(Text, cells), style="bold" if own else "")
    return grid
