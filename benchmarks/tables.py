"""Markdown tables of the comparison of policies."""

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
from common import hardware, table
from instances import Pool
from peers import PEERS, Peer
from scores import Cell, compare, interval, mean_ranks

NEAR_ORACLE = 1.5


def report(found: Sequence[Cell], options: argparse.Namespace, pools: Mapping[str, Pool]) -> str:
    """The whole page."""
    peers = [peer for peer in PEERS if any(peer.name in cell.players for cell in found)]
    parts = ["# Policies on recorded curves\n", _header(options, pools)]
    datasets = list(dict.fromkeys(cell.dataset for cell in found))
    focus = options.focus if any(options.focus in cell.players for cell in found) else None
    for dataset in datasets:
        mine = [cell for cell in found if cell.dataset == dataset]
        note = " (constants were chosen on this data set)" if dataset == "digits" else ""
        parts += [f"\n## {dataset}{note}\n", _overview(mine, peers)]
        if focus and peers:
            parts += ["", _against(mine, focus, peers)]
    parts.append("\n# Details\n")
    for dataset in datasets:
        for size in sorted({cell.size for cell in found if cell.dataset == dataset}):
            mine = [c for c in found if c.dataset == dataset and c.size == size]
            count = mine[0].values["regret"].shape[1]
            parts += [f"\n## {dataset}, K = {size}, {count} instances\n", _details(mine)]
    return "\n".join(parts)


def _header(options: argparse.Namespace, pools: Mapping[str, Pool]) -> str:
    lines = [
        f"{hardware('numpy', 'ray', 'optuna', 'syne-tune')}. Policy seeds: {options.seeds}, "
        f"workers: {options.workers}. Regrets in thousandths of a bit/dim on test images, the "
        "mean over instances; in brackets its 95 % bootstrap interval.\n"
    ]
    for name, pool in pools.items():
        count, seeds = len(pool.recording.curves), len(pool.recording.seeds)
        kinds = len({curve.arm for curve in pool.recording.curves})
        lines.append(f"- {name}: {count} curves of {kinds} arms, {seeds} recording seeds")
    missing = [p for p in PEERS if not p.installed]
    lines += [f"- {p.name}: not installed (`pip install {p.package}`)" for p in missing]
    return "\n".join(lines)


def _overview(found: Sequence[Cell], peers: Sequence[Peer]) -> str:
    """Mean regrets of all players at every budget, ranks, and epochs against the oracle's."""
    head = ["player"]
    head += [f"K={c.size}, {c.share:.0%}" for c in found]
    head += ["mean rank", *([f"losses of {len(found) * len(peers)}"] if peers else [])]
    rows = []
    ranks = [mean_ranks(cell) for cell in found]
    least = [cell.values["regret"].mean(axis=1).min() for cell in found]
    for player in found[0].players:
        row = [player]
        for cell, best in zip(found, least, strict=True):
            mean = cell.of(player, "regret").mean()
            row.append(f"**{mean:.1f}**" if mean <= best + 0.05 else f"{mean:.1f}")
        row.append(f"{np.mean([r[player] for r in ranks]):.1f}")
        if peers:
            results = [compare(c, player, p.name) for c in found for p in peers]
            row.append(f"{results.count('loss')} ({results.count('win')} wins)")
        rows.append(row)
    return table(head, rows)


def _against(found: Sequence[Cell], focus: str, peers: Sequence[Peer]) -> str:
    """The best peer per cell, and every loss by more than noise."""
    names = [peer.name for peer in peers]
    rows, losses = [], []
    for cell in found:
        own = cell.of(focus, "regret")
        best = min(names, key=lambda name: cell.of(name, "regret").mean())
        theirs = cell.of(best, "regret")
        low, high = interval(own - theirs)
        rows.append([
            f"K={cell.size}, {cell.share:.0%}", f"{own.mean():.1f}", best, f"{theirs.mean():.1f}",
            f"{own.mean() / theirs.mean():.2f}" if theirs.mean() > 0 else "-",
            f"{(own - theirs).mean():+.1f} [{low:.1f}, {high:.1f}]",
        ])  # fmt: skip
        for name in names:
            if compare(cell, focus, name) == "loss":
                low, high = interval(own - cell.of(name, "regret"))
                losses.append(
                    f"- K={cell.size}, {cell.share:.0%}, {name}: {low:.1f} to {high:.1f}"
                )
    head = [f"{focus} against", "its regret", "best peer", "peer's", "ratio", "difference"]
    text = table(head, rows)
    shown = "\n".join(losses) if losses else "none"
    return f"{text}\n\nLosses of {focus} by more than noise:\n{shown}"


def _details(found: Sequence[Cell]) -> str:
    """Everything measured at one K."""
    whole = max(found, key=lambda cell: cell.share)
    head = ["player", *(f"regret {c.share:.0%}" for c in found)]
    head += [f"identification {c.share:.0%}" for c in found]
    head += [f"P(error) {c.share:.0%}" for c in found]
    head += [f"P(not within 1 %) {c.share:.0%}" for c in found]
    head += ["epochs / oracle's: median", "90 %", f"≤ {NEAR_ORACLE}", "spent", "ms per epoch"]
    rows = []
    for player in whole.players:
        row = [player]
        for cell in found:
            low, high = interval(cell.of(player, "regret"))
            row.append(f"{cell.of(player, 'regret').mean():.1f} [{low:.1f}, {high:.1f}]")
        row += [f"{cell.of(player, 'identification').mean():.1f}" for cell in found]
        row += [f"{cell.of(player, 'error').mean():.2f}" for cell in found]
        row += [f"{cell.of(player, 'far').mean():.2f}" for cell in found]
        ratio = whole.of(player, "ratio")
        row += [_number(np.quantile(ratio, q, method="higher")) for q in (0.5, 0.9)]
        row.append(f"{(ratio <= NEAR_ORACLE).mean():.0%}")
        spent = whole.of(player, "spent")
        row.append(f"{spent.mean():.0f}")
        row.append(f"{1000 * (whole.of(player, 'seconds') / spent).mean():.2f}")
        rows.append(row)
    return table(head, rows)


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "never"
