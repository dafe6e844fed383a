"""Markdown page of the comparison of policies: the headline first, then every data set and K."""

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
from common import hardware, table
from details import details, times
from instances import Pool
from peers import PEERS
from scores import NEAR_ORACLE, Cell, compare, interval, mean_ranks, pooled

FITTED_ON = "digits"  # the constants of our policies were chosen on this data set
MARKS = {"win": "", "tie": " ~", "loss": " **loss**"}
_INTRO = """\
Regret: thousandths of a bit/dim on test images that the recommended checkpoint is worse than the
best one to be had with the same budget; mean over instances. ~ behind a difference: its 95 %
bootstrap interval over instances contains 0. A **loss**: the interval lies above 0. Of intervals
around no difference at all, one in forty would call a loss.
"""


def report(found: Sequence[Cell], options: argparse.Namespace, pools: Mapping[str, Pool]) -> str:
    """The whole page."""
    peers = [peer.name for peer in PEERS if peer.name in found[0].players]
    focus = options.focus if options.focus in found[0].players else found[0].players[0]
    held_out = [cell for cell in found if cell.dataset != FITTED_ON] or list(found)
    parts = ["# Policies on recorded curves\n", _header(options, pools), "", _INTRO]
    parts += [f"## In short: {_names(held_out)}\n", _summary(held_out, peers)]
    if peers:
        parts += [f"\n### Goals of `{focus}`\n", _goals(held_out, focus, peers)]
    for dataset in dict.fromkeys(cell.dataset for cell in found):
        mine = [cell for cell in found if cell.dataset == dataset]
        note = " (the constants were chosen on this data set)" if dataset == FITTED_ON else ""
        parts += [f"\n## {dataset}{note}\n", _overview(mine)]
        if peers:
            parts += [f"\nRegret of `{focus}` less each peer's:\n", _against(mine, focus, peers)]
    parts.append("\n# Details\n")
    parts += [details(list(group)) for group in _groups(found).values()]
    return "\n".join(parts)


def _names(found: Sequence[Cell]) -> str:
    return ", ".join(dict.fromkeys(cell.dataset for cell in found))


def _groups(found: Sequence[Cell]) -> dict[tuple[str, int], list[Cell]]:
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in found:
        groups.setdefault((cell.dataset, cell.size), []).append(cell)
    return groups


def _header(options: argparse.Namespace, pools: Mapping[str, Pool]) -> str:
    seeds = ", ".join(f"{n} at K={k}" for k, n in zip(options.arms, options.seeds, strict=True))
    lines = [f"{hardware('numpy', 'ray', 'optuna', 'syne-tune')}. Workers: {options.workers}. "
             f"Policy seeds: {seeds}.\n"]  # fmt: skip
    for name, pool in pools.items():
        count, recorded = len(pool.recording.curves), len(pool.recording.seeds)
        kinds = len({curve.arm for curve in pool.recording.curves})
        lines.append(f"- {name}: {count} curves of {kinds} arms, {recorded} recording seeds")
    missing = [] if options.no_peers else [p for p in PEERS if not p.installed]
    lines += [f"- {p.name}: not installed (`pip install {p.package}`)" for p in missing]
    return "\n".join(lines)


def _summary(found: Sequence[Cell], peers: Sequence[str]) -> str:
    """A row per player over all cells."""
    sizes = sorted({cell.size for cell in found})
    head = ["player", "mean rank", *(f"K={size}" for size in sizes)]
    head += [f"≤ {NEAR_ORACLE} of the oracle's epochs, K={sizes[0]}"]
    head += ["wins", "losses"] if peers else []
    ranks = [mean_ranks(cell) for cell in found]
    near = pooled([cell for cell in found if cell.size == sizes[0]], "near")
    rows = []
    for player in found[0].players:
        row = [player, f"{np.mean([r[player] for r in ranks]):.1f}"]
        for size in sizes:
            of = [c.of(player, "regret").mean() for c in found if c.size == size]
            row.append(f"{np.mean(of):.1f}")
        row.append(f"{near[player].mean():.0%}")
        if peers:
            results = [compare(c, player, peer) for c in found for peer in peers]
            own = player in peers
            row += ["", ""] if own else [str(results.count(word)) for word in ("win", "loss")]
        rows.append(row)
    text = "Regret: the mean over data sets and budgets. "
    if peers:
        text += f"Wins and losses by more than noise, of {len(found) * len(peers)} comparisons."
    return f"{text}\n\n{table(head, rows)}"


def _goals(found: Sequence[Cell], focus: str, peers: Sequence[str]) -> str:
    """What the project set out to reach, and what was reached."""
    rows = []
    for dataset in dict.fromkeys(cell.dataset for cell in found):
        mine = [c for c in found if c.dataset == dataset]
        small = [c for c in mine if c.size == min(cell.size for cell in mine)]
        rows.append(_nearness(max(small, key=lambda cell: cell.share), focus))
        rows += [_halved(cell, focus, peers) for cell in small if cell.share in (0.25, 0.5)]
        lost = sum(compare(c, focus, peer) == "loss" for c in mine for peer in peers)
        rows.append([f"{dataset}: no loss by more than noise",
                     f"{lost} losses in {len(mine) * len(peers)}", _yes(lost == 0)])  # fmt: skip
    return table(["goal", "measured", "reached"], rows)


def _nearness(cell: Cell, focus: str) -> list[str]:
    near = cell.of(focus, "near")
    low, high = interval(near)
    text = f"in {near.mean():.0%} [{low:.0%}, {high:.0%}], median "
    text += times(float(np.median(cell.ratios[focus])))
    if "uniform" in cell.ratios:
        text += f"; uniform: median {times(float(np.median(cell.ratios['uniform'])))}"
    goal = f"{cell.dataset}, K={cell.size}: ≤ {NEAR_ORACLE} of the oracle's epochs in 90 %"
    return [goal, text, _yes(near.mean() >= 0.9)]


def _halved(cell: Cell, focus: str, peers: Sequence[str]) -> list[str]:
    own = cell.of(focus, "regret").mean()
    best = min(peers, key=lambda peer: cell.of(peer, "regret").mean())
    theirs = cell.of(best, "regret").mean()
    goal = f"{cell.dataset}, K={cell.size}, {cell.share:.0%}: half the best peer's regret"
    return [goal, f"{own:.1f} against {theirs:.1f} ({best})", _yes(own <= theirs / 2)]


def _yes(reached: object) -> str:
    return "yes" if reached else "**no**"


def _overview(found: Sequence[Cell]) -> str:
    """Mean regret of every player, the least of a column in bold."""
    head = ["player", *(f"K={c.size}, {c.share:.0%}" for c in found), "mean rank"]
    ranks = [mean_ranks(cell) for cell in found]
    least = [cell.values["regret"].mean(axis=1).min() for cell in found]
    rows = []
    for player in found[0].players:
        means = [cell.of(player, "regret").mean() for cell in found]
        row = [f"**{m:.1f}**" if m <= best + 0.05 else f"{m:.1f}"
               for m, best in zip(means, least, strict=True)]  # fmt: skip
        rows.append([player, *row, f"{np.mean([r[player] for r in ranks]):.1f}"])
    return table(head, rows)


def _against(found: Sequence[Cell], focus: str, peers: Sequence[str]) -> str:
    """Paired differences to every peer; the losses once more with their intervals."""
    rows, losses = [], []
    for peer in peers:
        row = [peer]
        for cell in found:
            difference = cell.of(focus, "regret") - cell.of(peer, "regret")
            result = compare(cell, focus, peer)
            row.append(f"{difference.mean():+.1f}{MARKS[result]}")
            if result == "loss":
                low, high = interval(difference)
                where = f"K={cell.size}, {cell.share:.0%}"
                losses.append(f"- {where}, to {peer}: {difference.mean():.1f} "
                              f"[{low:.1f}, {high:.1f}]")  # fmt: skip
        rows.append(row)
    text = table(["peer", *(f"K={c.size}, {c.share:.0%}" for c in found)], rows)
    return text + "\n\nLosses:" + ("\n\n" + "\n".join(losses) if losses else " none.")
