"""What the command says once: the end of a search, how to go on, the lists, and sparklines."""

import importlib.util
import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vaesearch.catalogue import Entry
from vaesearch.config import NO_STORAGE
from vaesearch.report.tables import Ranking, best_arm, ranking_table
from vaesearch.report.units import robust_floor
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.storage import is_url
from vaesearch.tracking.uris import redacted

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last ``width`` values as bars, the best the highest; a blank for what is no number.

    >>> sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8)
    '▁▂▃▄▅▆▇█'
    """
    shown = values[-width:]
    finite = [v for v in shown if math.isfinite(v)]
    if not finite:
        return " " * len(shown)
    floor, top = robust_floor(finite), max(finite)
    return "".join(_bar(v, floor, top) if math.isfinite(v) else " " for v in shown)


def _bar(value: float, floor: float, top: float) -> str:
    if top == floor:
        return _BARS[len(_BARS) // 2]
    height = max(0.0, (value - floor) / (top - floor))
    return _BARS[round(height * (len(_BARS) - 1))]


def closing(state: SearchState, run_dir: str | Path, note: str | None) -> RenderableType:
    """The end of a search: how the arms compare, where the best model lies, what to type next.

    Print it with ``soft_wrap=True``, which keeps long paths in one piece.

    Args:
        state: the search, finished or not.
        run_dir: its directory.
        note: remarks, on switching between arms and on MLflow, or None.
    """
    ranking = ranking_table(state)
    lines = [""]
    lines += [f"{row.arm} {row.note}" for row in ranking.rows if row.note]
    if state.finished:
        lines.append(f"Ended: {state.finished.reason}")
    lines += places(state, RunDir(run_dir))
    if note:
        lines.append(note)
    lines += ["Next:", *next_commands(state, run_dir)]
    return Group(_ranking(ranking, best_arm(state)), Text("\n".join(lines)))


def _ranking(ranking: Ranking, best: str | None) -> Table:
    """The table without its last column: notes are too long for it and stand below."""
    table = plain_table("arms, best first")
    for header in ranking.headers[:-1]:
        named = header == "arm"
        table.add_column(header, justify="left" if named else "right", no_wrap=named)
    for row in ranking.rows:
        cells = [Text(cell) for cell in astuple(row)[:-1]]
        table.add_row(*cells, style="bold green" if row.arm == best else "")
    return table


def plain_table(title: str) -> Table:
    """An empty table as all of them look."""
    return Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )


def places(state: SearchState, run: RunDir) -> Iterator[str]:
    """Where the files of the best arm lie: only of those that exist."""
    best = best_arm(state)
    if best is None:
        yield "No arm finished an epoch, so there is no best model."
        return
    yield f"Best arm: {best}"
    for label, name in (
        ("Model", "model.pt"),
        ("Samples", "samples.png"),
        ("Reconstructions", "reconstructions.png"),
    ):
        path = run.arm(best) / name
        if path.exists():
            yield f"{label}: {quoted(path)}"


def next_commands(state: SearchState, run_dir: str | Path) -> Iterator[str]:
    """What can be typed next, whatever kind of search it was."""
    if not state.finished:
        yield f"  vaesearch resume {quoted(run_dir)}"
    yield f"  vaesearch ui {quoted(run_dir)}"
    if address := study_shown(state, run_dir):
        there = importlib.util.find_spec("optuna_dashboard")
        how = "" if there else "  # pip install optuna-dashboard"
        yield f"  optuna-dashboard {shlex.quote(address)}{how}"


def study_shown(state: SearchState, run_dir: str | Path) -> str | None:
    """Where the Optuna study of a search is, without a password; None where it has none."""
    address = state.config.get("storage")
    if state.space is None or address == NO_STORAGE:
        return None
    return redacted(address) if address else f"sqlite:///{RunDir(run_dir).study}"


def interrupted(run_dir: str | Path) -> str:
    """What to tell a person who stopped a search."""
    return (
        "Stopped. Every finished epoch is kept; go on from there with\n"
        f"  vaesearch resume {quoted(run_dir)}"
    )


def out_of_space(run_dir: str | Path) -> str:
    """What to do when the run directory could not be written."""
    cure = "when the storage takes it" if is_url(run_dir) else "make room"
    return f"What was finished is kept: {cure}, then vaesearch resume {quoted(run_dir)}"


def quoted(path: str | Path) -> str:
    """A path or URL as a shell takes it."""
    return shlex.quote(str(path))


def listing(axis: str, entries: Iterable[Entry]) -> Table:
    """The members of one axis of the catalogue, for ``vaesearch list AXIS``."""
    table = plain_table(axis)
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("summary")
    table.add_column("reference", style="dim")
    for entry in entries:
        table.add_row(Text(entry.name), Text(entry.summary), Text(entry.reference))
    return table
