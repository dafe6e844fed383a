"""Learning curves of many trials: the best in colour, the others grey."""

from pathlib import Path

from vaesearch.report.figures import COLOURS, INK, save
from vaesearch.report.tuning.parts import GREY, GRID, about, canvas, frame, hidden, trained
from vaesearch.report.tuning.words import direction, figure, label
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.figures import signs
from vaesearch.search.tuning.findings import Findings


def trial_curves(state: SearchState, found: Findings, path: Path) -> None:
    """Draw the validation figure of every trial against its epochs.

    Raises:
        StorageError: the file cannot be written.
    """
    trials = trained(found, found.reward)
    if not trials:
        return
    (sign,) = signs((found.reward,))
    picture, (axes,) = canvas(9, 4.6)
    best = list(found.ranking[: len(COLOURS)])
    ends = []
    for trial in trials:
        reports = state.arms[trial.arm or ""].reports
        curve = [sign * r.reward for r in reports]
        place = best.index(trial.number) if trial.number in best else None
        axes.plot(
            [r.epoch for r in reports], curve, ".-",
            color=GREY if place is None else COLOURS[place],
            alpha=min(0.6, 60 / len(trials)) if place is None else 1.0,
            linewidth=0.9 if place is None else 2.4 if place == 0 else 1.5,
            markersize=2 if place is None else 4, zorder=2 if place is None else 20 - place,
        )  # fmt: skip
        ends.append(trial.figures[found.reward])
        if place is not None:
            text = f"{figure(found.reward, trial.figures[found.reward])}  {trial.arm}"
            axes.plot([], [], color=COLOURS[place], label=text)
    low, high = frame(ends, found.reward)
    axes.set_ylim(low, high)
    axes.set_xlabel("epoch of the trial")
    axes.set_ylabel(f"validation {label(found.reward)}\n({direction(found.reward)})")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    handles, texts = axes.get_legend_handles_labels()
    order = sorted(range(len(texts)), key=lambda i: best.index(_number(found, texts[i])))
    axes.legend([handles[i] for i in order], [texts[i] for i in order], loc="upper left",
                bbox_to_anchor=(1.01, 1), frameon=False, labelcolor=INK, fontsize=8)  # fmt: skip
    outside = sum(not low <= end <= high for end in ends)
    remark = f"; {hidden(outside)}" if outside else ""
    axes.set_title(
        f"Learning curves: {about(state.config)}\n({len(best)} best of {len(trials)} trials in "
        f"colour{remark})",
        loc="left", fontsize=10, color=INK,
    )  # fmt: skip
    save(picture, path)


def _number(found: Findings, text: str) -> int:
    """Of the trial that a line of the legend is about."""
    name = text.split("  ", 1)[1]
    return next(t.number for t in found.trials if t.arm == name)
