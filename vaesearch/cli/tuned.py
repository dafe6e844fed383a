"""What the command says at the end of a search that was tuned."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vaesearch.cli.text import next_commands, places, plain_table, quoted
from vaesearch.report.tuning.tables import Grid, best_trials, counts, front_trials
from vaesearch.report.tuning.words import figure, label, values
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import Findings, findings


def closing_tuned(state: SearchState, run_dir: str | Path, note: str | None) -> RenderableType:
    """The end of a tuned search: the best trials, their values, the front, what to type next.

    Print it with ``soft_wrap=True``, which keeps long paths in one piece.

    Args:
        state: the search, finished or not.
        run_dir: its directory.
        note: remarks of the search, or None.
    """
    found, run = findings(state), RunDir(run_dir)
    parts: list[RenderableType] = [_table("trials, best first", best_trials(found, compact=True))]
    if len(found.objectives) > 1 and found.front:
        grid = front_trials(found, compact=True)
        of = (
            f"{len(grid.rows)} of {len(found.front)}, "
            if len(grid.rows) < len(found.front)
            else ""
        )
        parts += [Text(), _table(f"front: {of}no other trial is better in everything", grid)]
    lines = ["", counts(found), *_best(found), *_default(found)]
    if state.finished:
        lines.append(f"Ended: {state.finished.reason}")
    lines += places(state, run)
    lines += _files(found, run)
    if note:
        lines.append(note)
    lines += ["Next:", *_next(found, run), *next_commands(state, run_dir)]
    return Group(*parts, Text("\n".join(lines)))


def _table(title: str, grid: Grid) -> Table:
    table = plain_table(title)
    for header in grid.headers:
        words = header in ("trial", "values")
        table.add_column(
            header, justify="left" if words else "right", no_wrap=header != "values",
            overflow="fold",
        )  # fmt: skip
    for place, row in enumerate(grid.rows):
        style = "bold green" if place in grid.bold else ""
        table.add_row(*(Text(cell) for cell in row), style=style)
    return table


def _best(found: Findings) -> Iterator[str]:
    if found.best is None:
        return
    yield f"Best values: {values(found.best.values)}"
    tested = [f"{label(o)} {figure(o, found.best.test[o])}" for o in found.objectives
              if o in found.best.test]  # fmt: skip
    if tested:
        yield f"On test images: {', '.join(tested)}"


def _default(found: Findings) -> Iterator[str]:
    """What the options reach as they are without a search, if that was tried."""
    tried = [found.trials[n] for n in found.defaults if found.trials[n].figures]
    if not tried or found.best is None or found.best.number in found.defaults:
        return
    best, default = found.best.figures, tried[0].figures
    shown = ", ".join(
        f"{label(o)} {figure(o, default.get(o))} (best trial {figure(o, best.get(o))})"
        for o in found.objectives
    )
    epochs = "1 epoch" if tried[0].epochs == 1 else f"{tried[0].epochs} epochs"
    yield f"The defaults reached, after {epochs}: {shown}"


def _files(found: Findings, run: RunDir) -> Iterator[str]:
    if run.best.exists():
        yield f"Its options: {quoted(run.best)}"
    if len(found.objectives) > 1 and run.front.exists():
        yield f"Those of the front: {quoted(run.front)}"
    if (run.plots / "slices.png").exists():
        yield f"Pictures: {quoted(run.plots)}"


def _next(found: Findings, run: RunDir) -> Iterator[str]:
    if run.best.exists():
        more = max(2 * (found.best.epochs if found.best else 0), 10)
        yield f"  vaesearch bandit --config {quoted(run.best)} --epochs {more}"
        yield f"  vaesearch evaluate {quoted(run.address)}"
