"""The best trials, the front and the importances as tables, for a terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaesearch.report.tuning.words import figure, label, short, value, values
from vaesearch.report.units import NONE, one_line
from vaesearch.search.tuning.findings import Findings, Trial

if TYPE_CHECKING:
    from vaesearch.search.tuning.importances import Importances

SHOWN = 10  # trials
FRONT_SHOWN = 8


@dataclass(frozen=True)
class Grid:
    """Cells, written out, under headers; those in ``bold`` stand out."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bold: frozenset[int] = frozenset()

    def to_markdown(self) -> str:
        """The grid as a Markdown table."""
        lines = [self.headers, ["---"] * len(self.headers), *self.rows]
        return "".join(f"| {' | '.join(map(_escape, line))} |\n" for line in lines)


def best_trials(found: Findings, count: int = SHOWN, *, compact: bool = False) -> Grid:
    """The best trials by the reward, with their values, and the defaults if they were tried.

    Args:
        found: of the search.
        count: how many.
        compact: for 80 columns: values in one cell, and no figures on test images.
    """
    shown = list(found.ranking[:count])
    shown += [n for n in found.defaults if n in found.ranking and n not in shown]
    return _compact(found, shown) if compact else _grid(found, shown)


def front_trials(found: Findings, count: int = FRONT_SHOWN, *, compact: bool = False) -> Grid:
    """Trials of the front, by the first objective; of more than ``count`` so many, evenly."""
    front = sorted(found.front, key=lambda n: found.trials[n].figures[found.objectives[0]])
    if len(front) > count:
        places = [round(i * (len(front) - 1) / (count - 1)) for i in range(count)]
        front = [front[place] for place in places]
    return _compact(found, front) if compact else _grid(found, front)


def _compact(found: Findings, numbers: Sequence[int]) -> Grid:
    """What tells the trials apart, in few columns."""
    headers = ("rank", "trial", "epochs", *map(short, found.objectives), "values")
    rows = []
    for trial in (found.trials[n] for n in numbers):
        note = _note(trial, found)
        rows.append((
            *_head(trial, found), *(figure(o, trial.figures.get(o)) for o in found.objectives),
            values({name.rpartition(".")[2]: v for name, v in trial.values.items()})
            + (f" ({note})" if note else ""),
        ))  # fmt: skip
    return Grid(headers, tuple(rows), _bold(found, numbers))


def _grid(found: Findings, numbers: Sequence[int]) -> Grid:
    trials = [found.trials[n] for n in numbers]
    parameters = list(dict.fromkeys(name for trial in trials for name in trial.values))
    grouped = ["decoder"] if len({trial.group for trial in found.trials}) > 1 else []
    tested = [o for o in found.objectives if any(o in trial.test for trial in trials)]
    headers = (
        "rank", "trial", "epochs", *map(label, found.objectives),
        *(f"test {label(o)}" for o in tested), *grouped, *parameters, "note",
    )  # fmt: skip
    rows = []
    for trial in trials:
        rows.append((
            *_head(trial, found), *(figure(o, trial.figures.get(o)) for o in found.objectives),
            *(figure(o, trial.test.get(o)) for o in tested), *(trial.group for _ in grouped),
            *(value(trial.values[p]) if p in trial.values else NONE for p in parameters),
            _note(trial, found),
        ))  # fmt: skip
    return Grid(headers, tuple(rows), _bold(found, numbers))


def _head(trial: Trial, found: Findings) -> tuple[str, str, str]:
    rank = found.ranking.index(trial.number) + 1 if trial.number in found.ranking else None
    return str(rank or NONE), trial.arm or str(trial.number), str(trial.epochs)


def _bold(found: Findings, numbers: Sequence[int]) -> frozenset[int]:
    return frozenset(
        place for place, number in enumerate(numbers)
        if found.best is not None and number == found.best.number
    )  # fmt: skip


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")


def _note(trial: Trial, found: Findings) -> str:
    notes = []
    if trial.number in found.defaults:
        notes.append("the defaults")
    if trial.state == "failed":
        notes.append(f"failed: {one_line(trial.reason)}")
    return "; ".join(notes)


def importance_table(found: "Importances") -> Grid:
    """Shares by parameter, with their ranges."""
    rows = [
        (row.name, f"{row.share:.0%}", f"{row.low:.0%} to {row.high:.0%}") for row in found.rows
    ]
    return Grid(("parameter", f"importance for {label(found.objective)}", "range"), tuple(rows))


def counts(found: Findings) -> str:
    """How many trials came to what, in a line."""
    names = [trial.state for trial in found.trials]
    parts = [
        f"{names.count(state)} {word}"
        for state, word in (
            ("complete", "trained to the end"),
            ("pruned", "stopped before"),
            ("running", "not trained yet"),
            ("failed", "failed"),
            ("refused", "refused before training"),
            ("known", "of earlier searches"),
        )
        if state in names
    ]
    return f"{len(names)} trials: {', '.join(parts)}."
