"""The tables of `tune.py`, and its picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from common import hardware, table

from tuning.landscape import Problem
from tuning.methods import BY_NAME, METHODS
from tuning.record import Run
from tuning.scores import (
    SHARES,
    Interval,
    Runs,
    curve,
    differences,
    interval,
    shares_to_reach,
)

ByMethod = Mapping[str, Runs]
HERO = "tune"


def grouped(runs: Sequence[Run]) -> dict[str, dict[int, Run]]:
    """By method, in the order of the catalogue, then by seed."""
    found: dict[str, dict[int, Run]] = {}
    for method in METHODS:
        own = {run.seed: run for run in runs if run.method == method.name}
        if own:
            found[method.name] = dict(sorted(own.items()))
    return found


def report(runs: Sequence[Run], problem: Problem, seconds: float, command: str) -> str:
    """The whole page."""
    by_method = grouped(runs)
    head = f"# `vaesearch tune` beside others, {seconds:g} seconds each\n\n    {command}\n\n"
    machine = hardware("torch", "optuna", "ray", "vaesearch")
    seeds = {name: len(own) for name, own in by_method.items()}
    data = (
        f"{Path(problem.dataset).stem}, {problem.image_size}x{problem.image_size} pixels, decoder "
        f"{problem.decoder}, width {problem.width:g}, at most {problem.cap} epochs per trial; "
        f"space `{Path(problem.space).name}`. One core per run. "
        f"Seeds: {', '.join(f'{name} {count}' for name, count in seeds.items())}."
    )
    parts = [head + f"{machine}. {data}\n\n{_about(by_method)}", _curves(by_method)]
    if HERO in by_method and len(by_method) > 1:
        parts += [_beside(by_method), _ablations(by_method)]
    parts.append(_spent(by_method))
    digests = {run.code for run in runs}
    if len(digests) > 1:
        parts.append(f"Not all runs are of the same code: {', '.join(sorted(digests))}.")
    return "\n\n".join(part for part in parts if part)


def _about(runs: ByMethod) -> str:
    return "\n".join(f"- {name}: {BY_NAME[name].about}" for name in runs)


def _curves(runs: ByMethod) -> str:
    rows = []
    for name, own in runs.items():
        cells = [
            interval([run.best_at(share * run.seconds) for run in own.values()]).text()
            for share in SHARES
        ]
        rows.append([name, *cells, interval([run.test for run in own.values()]).text()])
    head = ["method", *(f"{share:.0%}" for share in SHARES), "test"]
    text = (
        "Best validation bits/dim so far after shares of the time, and test bits/dim of what is "
        "handed out at the end: mean over seeds [90 % bootstrap interval]."
    )
    return f"## Best so far\n\n{text}\n\n{table(head, rows)}"


def _beside(runs: ByMethod) -> str:
    rows = []
    for name, theirs in runs.items():
        if BY_NAME[name].ours:
            continue
        own = shares_to_reach(runs[HERO], theirs, mean=False)
        average = shares_to_reach(runs[HERO], theirs, mean=True)
        rows.append([
            name,
            differences(runs[HERO], theirs, 0.5).text(sign=True),
            differences(runs[HERO], theirs).text(sign=True),
            _time(own), _time(average),
        ])  # fmt: skip
    head = [
        "peer", "difference at 50%", "difference at the end", "time to the peer's end, same seed",
        "time to the peers' mean end",
    ]  # fmt: skip
    text = (
        f"`{HERO}` less the peer with the same seed: mean [90 % interval], below 0 is better. "
        "Time: share of the seconds until it is as good as the peer is at the end, median over "
        "seeds [90 % interval], and in how many seeds it ever was."
    )
    return f"## Seed by seed\n\n{text}\n\n{table(head, rows)}"


def _time(shares: Sequence[float]) -> str:
    reached = sum(np.isfinite(shares))
    middle: Interval = interval(shares, middle="median")
    shown = middle.text(2) if np.isfinite(middle.value) else "never"
    return f"{shown}; {reached} of {len(shares)}"


def _ablations(runs: ByMethod) -> str:
    rows = [
        [name, differences(runs[HERO], own, 0.5).text(sign=True),
         differences(runs[HERO], own).text(sign=True)]
        for name, own in runs.items()
        if BY_NAME[name].ours and name != HERO
    ]  # fmt: skip
    if not rows:
        return ""
    text = f"`{HERO}` less the same command with one part replaced."
    head = ["instead", "difference at 50%", "difference at the end"]
    return f"## Who helps\n\n{text}\n\n{table(head, rows)}"


def _spent(runs: ByMethod) -> str:
    rows = []
    for name, own in runs.items():
        every = list(own.values())
        rows.append([
            name,
            f"{np.mean([run.trials for run in every]):.1f}",
            f"{np.mean([len(run.steps) for run in every]):.0f}",
            f"{np.mean([len(run.steps) / run.trials for run in every]):.1f}",
            f"{np.mean([run.training for run in every]):.0%}",
            f"{np.mean([run.startup for run in every]):.1f}",
        ])  # fmt: skip
    head = ["method", "trials", "epochs", "epochs per trial", "time in epochs", "start-up, s"]
    text = (
        "Means over seeds. Time in epochs: training and validation of epochs that count; the "
        "rest are decisions, proposals, files and epochs that were not finished. Start-up is not "
        "part of the seconds."
    )
    return f"## What the time went to\n\n{text}\n\n{table(head, rows)}"


def picture(runs: Sequence[Run], path: Path) -> None:
    """Curves of the best so far with bands, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    by_method = grouped(runs)
    shares = np.linspace(0.02, 1, 99)
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    lowest, highest = np.inf, -np.inf
    for name, own in by_method.items():
        rows = curve(own, shares)
        known = np.isfinite(rows).all(axis=0)
        bands = [interval(list(column)) for column in rows[:, known].T]
        x = shares[known] * next(iter(own.values())).seconds
        mean = np.array([b.value for b in bands])
        style = "-" if BY_NAME[name].ours else "--"
        (line,) = axes.plot(x, mean, style, label=name, linewidth=2.4 if name == HERO else 1.3)
        if name == HERO or not BY_NAME[name].ours:
            low, high = [b.low for b in bands], [b.high for b in bands]
            axes.fill_between(x, low, high, color=line.get_color(), alpha=0.13, linewidth=0)
        if len(mean):
            lowest = min(lowest, mean[-1])
            highest = max(highest, mean[np.searchsorted(x, 0.1 * x[-1])])
    margin = 0.06 * (highest - lowest) or 0.01
    axes.set_ylim(lowest - 3 * margin, highest + margin)
    axes.set_xlabel("seconds")
    axes.set_ylabel("best validation bits/dim so far")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
