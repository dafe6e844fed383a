"""``vaesearch evaluate``: what trained models of a run are worth, with standard errors."""

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vaesearch.cli.options import given
from vaesearch.cli.places import RUN_PLACE, Place
from vaesearch.cli.terminal import InterruptedSearchError, stoppable
from vaesearch.cli.text import plain_table
from vaesearch.errors import StorageError
from vaesearch.search.run_dir import RunDir

if TYPE_CHECKING:
    from vaesearch.assessment import Assessment
    from vaesearch.report.measurements import Line

ABREAST = 5  # arms in one table
_WIDEST = 160
_LEGEND = "Best of a line: in bold, with a *. ↑ higher is better, ↓ lower is better."


@click.command()
@click.argument("run_dir", type=RUN_PLACE)
@click.option("--arm", "arms", multiple=True, metavar="NAME|all",
              help="may be given several times; default the best one")  # fmt: skip
@click.option("--epoch", default="best", show_default=True, metavar="best|last|N",
              help="of the checkpoint; best and last are kept")  # fmt: skip
@click.option("--metrics", metavar="NAME[:SETTINGS],...",
              help="see `vaesearch list metrics`; default those that are quick")  # fmt: skip
@click.option("--split", default="test", show_default=True, help="test, valid or train")
@click.option("--images", type=int, help="measure on the first so many; default all")
@click.option("--seed", type=int, default=0, show_default=True, help="of everything random")
@click.option("--extractor", metavar="SPEC", help="of features, for metrics that compare pictures")
@click.option("--chunk", type=int,
              help="pictures decoded at once; changes memory, and no figure")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda")
@click.option("--data-dir", help="where the images are now, if not where the search had them")
@click.option("--again", is_flag=True, help="measure what was measured before, too")
@click.option("--json", "as_json", is_flag=True, help="results on stdout, and nothing else")
def evaluate(
    run_dir: Place, arms: tuple[str, ...], epoch: str, as_json: bool, **rest: Any
) -> None:
    """Measure trained models of a run: ELBO, bits/dim and more, with standard errors.

    Figures are kept in RUN_DIR/evaluation, where the same question finds them again, and go to
    the arm's run in MLflow. Metrics that take long are measured only where they are named.
    """
    from vaesearch import assessment

    number = int(epoch) if epoch.removeprefix("-").isdecimal() else epoch
    notes: list[str] = []
    shown = None if as_json else _bars(Console(stderr=True))
    watch = Watch(shown)
    with watch, stoppable():
        try:
            found = assessment.evaluate(
                run_dir, arms=arms or None, epoch=number, send=False, watch=watch,
                note=notes.append, **given(rest),
            )  # fmt: skip
        except KeyboardInterrupt:
            raise InterruptedSearchError(_stopped(run_dir, watch.done)) from None
    if as_json:
        content = {"run_dir": str(run_dir), "arms": [a.to_dict() for a in found], "notes": notes}
        click.echo(json.dumps(content, indent=2))
    else:
        _show(found, notes, Console())
    _refuse_unkept(found)
    with _status(as_json):
        assessment.publish(run_dir, found, lambda text: click.echo(text, err=True))


class Watch:
    """Shows how far each metric is, and remembers which are done.

    Args:
        progress: the bars; None shows nothing.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self.done: list[str] = []

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bars away: the table follows."""
        if self._progress:
            self._progress.stop()

    def __call__(self, arm: str, spec: str, share: float) -> None:
        """Take note of the share of a metric that is done."""
        if share >= 1:
            self.done.append(f"{arm} {spec}")
        if self._progress is None:
            return
        if (arm, spec) not in self._tasks:
            self._tasks[arm, spec] = self._progress.add_task(f"{arm} {spec}", total=1.0)
        self._progress.update(self._tasks[arm, spec], completed=share)


def _bars(console: Console) -> Progress | None:
    """A bar for each metric, on a terminal."""
    if not console.is_terminal or console.is_dumb_terminal:
        return None
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(elapsed_when_finished=True),
        console=console, transient=True, redirect_stdout=sys.stdout.isatty(),
    )  # fmt: skip


def _status(as_json: bool) -> AbstractContextManager[Any]:
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        return nullcontext()
    return console.status("sending to MLflow")


def _stopped(run_dir: Place, done: Sequence[str]) -> str:
    if not done:
        return "Stopped before the first metric was done."
    folder = shlex.quote(str(RunDir(run_dir).evaluations))
    return f"Stopped. Kept in {folder}: {', '.join(done)}; the same command goes on from there."


def _refuse_unkept(found: Sequence["Assessment"]) -> None:
    """The figures were shown, but nobody will find them again."""
    reasons = [each.unkept for each in found if each.unkept]
    if reasons:
        raise StorageError(f"the figures could not be kept: {reasons[0]}")


def _show(found: Sequence["Assessment"], notes: Sequence[str], console: Console) -> None:
    """Print a table, or several where there are many arms, and what is to be said of it."""
    from vaesearch.report.measurements import lines, remarks

    measured = {each.arm: each.records for each in found}
    table = lines(measured)
    # A line that the terminal wraps is better than figures without their last digits.
    width, console.width = console.width, max(console.width, _WIDEST)
    for start in range(0, len(found), ABREAST):
        abreast = found[start : start + ABREAST]
        console.print(Text(_title(abreast), style="italic"), width=width)
        console.print(_table(abreast, table, start))
    if len(found) > 1:
        console.print(Text(_LEGEND, style="dim"), width=width)
    said = remarks(measured)
    left = {f"Left out: {why}": None for each in found for why in each.left_out.values()}
    for text in (*said, *left, *notes):
        console.print(Text(text), width=width)
    for each in found:
        if not each.unkept:
            click.echo(f"Kept: {shlex.quote(str(each.path))}")


def _table(found: Sequence["Assessment"], lines: Sequence["Line"], start: int) -> Table:
    """The columns of ``found``, whose first arm stands at place ``start`` of the lines."""
    grid = plain_table("")
    for header, justify in _columns(found):
        grid.add_column(header, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for line in lines:
        places = range(start, start + len(found))
        cells = [_cell(line.cells[place], place in line.best) for place in places]
        end = (line.unit, line.count, line.seconds)
        grid.add_row(Text(line.metric, style="bold"), Text(line.figure), *cells, *map(Text, end))
    return grid


def _columns(found: Sequence["Assessment"]) -> list[tuple[str, str]]:
    names = [f"{each.arm}\nepoch {each.epoch}" for each in found] if len(found) > 1 else ["value"]
    arms = [(name, "right") for name in names]
    return [
        ("metric", "left"), ("figure", "left"), *arms, ("unit", "left"), ("n", "right"),
        ("seconds", "right"),
    ]  # fmt: skip


def _cell(text: str, is_best: bool) -> Text:
    return Text(f"{text} *", style="bold green") if is_best else Text(text)


def _title(found: Sequence["Assessment"]) -> str:
    keys = [record.key for each in found for record in each.records]
    on = f"{keys[0].images} {keys[0].split} images" if keys else "nothing measured"
    who = f"{found[0].arm}, epoch {found[0].epoch}" if len(found) == 1 else f"{len(found)} arms"
    return f"{who}, {on}; value ± standard error"
