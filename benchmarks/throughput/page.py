"""Tables and the picture of ``scaling.py``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from common import ratios, spread, table

from throughput.real import Pace
from throughput.simulated import Cost
from throughput.sleeping import Rate

PULLS = (1, 10, 60)  # seconds that a pull may take
Costs = Mapping[tuple[str, int], Sequence[Cost]]  # by policy and workers


def real(found: Mapping[tuple[str, int], Sequence[Pace]]) -> str:
    """Epochs per second, what a second worker adds, and where the workers' time went."""
    head = ["", "Workers", "Epochs/s", "Efficiency", "Workers' time in epochs", "Of bare actors"]
    bare = next(name for name, _ in found if "bare" in name)
    rows = []
    for (name, workers), paces in found.items():
        rate = [p.epochs for p in paces]
        alone = [workers * p.epochs for p in found[name, 1]]
        ceiling = [p.epochs for p in found[bare, workers]]
        rows.append([
            name, str(workers), spread(rate),
            spread(ratios(rate, alone)) if workers > 1 else "",
            _percent([p.busy for p in paces]), spread(ratios(rate, ceiling)),
        ])  # fmt: skip
    return table(head, rows)


def _percent(shares: Sequence[float]) -> str:
    return f"{100 * median(shares):.1f} % ({100 * min(shares):.1f}-{100 * max(shares):.1f})"


def totals(costs: Costs) -> str:
    """Milliseconds of the processor per pull, by workers and policy."""
    policies = list(dict.fromkeys(policy for policy, _ in costs))
    head = ["Simulated workers", *policies]
    rows = [
        [str(workers), *(spread([c.cpu for c in costs[p, workers]]) for p in policies)]
        for workers in dict.fromkeys(workers for _, workers in costs)
    ]
    return table(head, rows)


def parts(costs: Mapping[str, Sequence[Cost]], first: str = "Policy") -> str:
    """Where these milliseconds go, and how many pulls a second they come to."""
    head = [first, "Decision", "Proposals", "Ledger", "Observers", "State and dispatch",
            "Waiting for the disk", "Total", "Pulls/s at most"]  # fmt: skip
    rows = []
    for name, several in costs.items():
        names = ("decision", "proposal", "ledger", "observers", "rest", "disk", "total")
        figures = [spread([getattr(c, part) for c in several]) for part in names]
        rows.append([name, *figures, f"{1000 / median(c.total for c in several):,.0f}"])
    return table(head, rows)


def fed(costs: Mapping[str, Sequence[Cost]], in_ray: float) -> str:
    """How many workers one controller can feed, with Ray's calls in the same thread."""
    head = ["Policy", "ms per pull", *(f"Pulls of {s} s" for s in PULLS)]
    rows = []
    for name, several in costs.items():
        each = median(c.total for c in several) + in_ray
        rows.append([name, f"{each:.2f}", *(f"{1000 * s / each:,.0f}" for s in PULLS)])
    return table(head, rows)


def used(costs: Mapping[tuple[str, int], Cost]) -> str:
    """Share of the workers' time in pulls, by policy and number of arms."""
    policies = list(dict.fromkeys(policy for policy, _ in costs))
    arms = list(dict.fromkeys(count for _, count in costs))
    rows = [[p, *(f"{100 * costs[p, n].used:.0f} %" for n in arms)] for p in policies]
    return table(["Policy", *(f"{n} arms" for n in arms)], rows)


def slept(found: Mapping[tuple[str, int], Sequence[Rate]], seconds: float) -> str:
    """What the workers did whose pulls sleep."""
    head = ["Workers", "Driver", "Pulls/s", "Possible", "Workers' time in pulls",
            "Ray's calls, ms", "Controller, ms", "Disk, ms"]  # fmt: skip
    rows = []
    for (name, workers), rates in found.items():
        columns = [[getattr(r, part) for r in rates] for part in ("ray", "control", "disk")]
        rows.append([
            str(workers), name, spread([r.pulls for r in rates], 1), f"{workers / seconds:,.0f}",
            _percent([r.busy for r in rates]), *map(spread, columns),
        ])  # fmt: skip
    return table(head, rows)


def changed(before: Mapping[str, Sequence[Cost]], after: Mapping[str, Sequence[Cost]]) -> str:
    """Processor time per pull by two versions of the package, in turn."""
    head = ["Search", "Before, ms", "After, ms", "Ratio"]
    rows = []
    for name, old in before.items():
        olds, news = [c.cpu for c in old], [c.cpu for c in after[name]]
        rows.append([name, spread(olds), spread(news), spread(ratios(olds, news))])
    return table(head, rows)


def picture(costs: Costs, path: Path) -> None:
    """Pulls per second at which the controller has no time left, over the number of workers."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    counts = list(dict.fromkeys(workers for _, workers in costs))
    for policy in dict.fromkeys(policy for policy, _ in costs):
        limits = [1000 / median(c.total for c in costs[policy, n]) for n in counts]
        axes.loglog(counts, limits, marker="o", label=policy)
    for seconds in PULLS:
        axes.loglog(counts, [n / seconds for n in counts], color="0.6", linestyle=":")
        axes.annotate(f"pulls of {seconds} s", (counts[-1], counts[-1] / seconds), color="0.4",
                      ha="right", va="bottom", rotation=30, fontsize=8)  # fmt: skip
    axes.set_xlabel("simulated workers")
    axes.set_ylabel("pulls per second")
    axes.set_title("What a controller can decide on, and what workers ask for (dotted)",
                   fontsize=10)  # fmt: skip
    axes.legend(title="policy, 512 arms", fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
