"""The importances as bars."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from vaesearch.report.figures import COLOURS, INK, save
from vaesearch.report.tuning.parts import about, canvas
from vaesearch.report.tuning.words import label
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.importances import Importances


def importance_bars(state: SearchState, found: Sequence[Importances], path: Path) -> None:
    """Draw a bar per parameter with its range, a panel per objective.

    Nothing is drawn where there are too few trials.

    Raises:
        StorageError: the file cannot be written.
    """
    shown = [one for one in found if one.rows]
    if not shown:
        return
    tall = max(len(one.rows) for one in shown)
    figure, axes = canvas(8, len(shown) * (0.3 * tall + 1.3) + 0.3, len(shown), 1)
    for panel, one in zip(axes, shown, strict=True):
        places = range(len(one.rows))
        shares = [row.share for row in one.rows]
        spans = [[r.share - r.low for r in one.rows], [r.high - r.share for r in one.rows]]
        panel.barh(places, shares, 0.7, color=COLOURS[0], alpha=0.85)
        panel.errorbar(shares, places, xerr=spans, fmt="none", ecolor=INK, elinewidth=1,
                       capsize=3)  # fmt: skip
        panel.set_yticks(places, [row.name for row in one.rows])
        panel.set_ylim(tall - 0.5, -0.5)
        panel.set_xlim(0, 1)
        panel.tick_params(axis="y", length=0)
        panel.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        remark = textwrap.fill(one.remark, 110)
        panel.set_title(f"Importance for {label(one.objective)}: {about(state.config)}",
                        loc="left", fontsize=10, color=INK)  # fmt: skip
        panel.set_xlabel(remark, fontsize=7, loc="left", color=INK)
    save(figure, path)
