"""Everything that was measured on one data set at one number of arms, as Markdown tables."""

from collections.abc import Sequence

import numpy as np
from common import table
from scores import NEAR_ORACLE, Cell, interval, mean_ranks


def details(found: Sequence[Cell]) -> str:
    """The cells of one data set and K, one per budget."""
    first, largest = found[0], max(found, key=lambda cell: cell.share)
    count = first.values["regret"].shape[1]
    return "\n\n".join([
        f"\n## {first.dataset}, K = {first.size}, {count} instances",
        "Regret with its interval; mean rank.",
        _regrets(found),
        "Identification regret / P(error) / P(recommended arm not within 1 % of the best).",
        _identification(found),
        f"With {largest.share:.0%} of the budget: epochs until within 1 % of the best final "
        "validation value, over the oracle's, who trains the best arm only; epochs spent in all.",
        _epochs(found),
    ])  # fmt: skip


def times(ratio: float) -> str:
    """A ratio that may be infinite.

    >>> times(1.5), times(float("inf"))
    ('1.50', 'never')
    """
    return f"{ratio:.2f}" if np.isfinite(ratio) else "never"


def _regrets(found: Sequence[Cell]) -> str:
    ranks = [mean_ranks(cell) for cell in found]
    rows = []
    for player in found[0].players:
        row = [player]
        for cell in found:
            low, high = interval(cell.of(player, "regret"))
            row.append(f"{cell.of(player, 'regret').mean():.1f} [{low:.1f}, {high:.1f}]")
        rows.append([*row, *(f"{rank[player]:.1f}" for rank in ranks)])
    shares = [f"{cell.share:.0%}" for cell in found]
    return table(["player", *shares, *(f"rank {share}" for share in shares)], rows)


def _identification(found: Sequence[Cell]) -> str:
    rows = [
        [
            player,
            *(
                f"{cell.of(player, 'identification').mean():.1f} / "
                f"{cell.of(player, 'error').mean():.2f} / {cell.of(player, 'far').mean():.2f}"
                for cell in found
            ),
        ]
        for player in found[0].players
    ]
    return table(["player", *(f"{cell.share:.0%}" for cell in found)], rows)


def _epochs(found: Sequence[Cell]) -> str:
    """Epochs to the goal over the oracle's; all columns but the last are of the largest budget."""
    cell = max(found, key=lambda cell: cell.share)
    rows = []
    for player in cell.players:
        spent = cell.of(player, "spent")
        quantiles = [np.quantile(cell.ratios[player], q, method="higher") for q in (0.5, 0.9)]
        rows.append([
            player,
            *map(times, quantiles),
            f"{cell.of(player, 'near').mean():.0%}",
            f"{cell.of(player, 'never').mean():.0%}",
            f"{spent.mean():.0f}",
            f"{1000 * (cell.of(player, 'seconds') / spent).mean():.2f}",
            " / ".join(f"{c.of(player, 'near').mean():.0%}" for c in found),
        ])  # fmt: skip
    head = ["player", "median", "90 % quantile", f"≤ {NEAR_ORACLE}", "never", "epochs spent"]
    shares = " / ".join(f"{c.share:.0%}" for c in found)
    head += ["ms of replay per epoch", f"≤ {NEAR_ORACLE} with a budget of {shares}"]
    return table(head, rows)
