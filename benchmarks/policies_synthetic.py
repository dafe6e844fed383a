"""Simple regret of every policy on families of synthetic learning curves, as Markdown.

    python benchmarks/policies_synthetic.py --out benchmarks/results/policies_synthetic.md
    python benchmarks/policies_synthetic.py --size 5:100:4 --families crossing --policies ucb1

Instances are the same for all policies. What is recommended is the best checkpoint by the noisy
rewards alone; regret is measured on the truth. One second is one epoch, but for the slow arm of
"one slow", where the budget is as many seconds as it is epochs elsewhere.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from common import hardware, publish, table

from vaesearch import catalogue
from vaesearch.bandits.core import leader
from vaesearch.bandits.synthetic import FAMILIES, run_policy

TEXTBOOK = {"stochastic", "halving", "asha", "rejects", "rested", "toptwo", "ucbv"}
MEASURES = {
    "Checkpoint regret": "how far the true reward of the recommended checkpoint stays below the "
    "best that any arm has up to the cap",
    "Arm regret": "the same for the best that the recommended arm has anywhere up to the cap",
}


def regrets(spec, family, seed, arms, epochs, cap, workers):
    """(checkpoint regret, arm regret, milliseconds per decision) of one search."""
    kind = FAMILIES[family]
    curves = kind.draw(seed, arms, cap)
    policy = catalogue.build("policies", spec)
    start = time.perf_counter()
    end = run_policy(policy, curves, kind.budget(epochs, workers=workers), seed)
    spent = 1000 * (time.perf_counter() - start) / end.decisions
    best, goal = leader(end.arms), np.nanmax(curves.truth)
    if best is None:  # whatever was pulled has diverged
        worst = goal - np.nanmin(curves.truth)
        return worst, worst, spent
    truth = curves.truth[end.arms.index(best)]
    return goal - truth[np.argmax(best.rewards)], goal - np.nanmax(truth), spent


def measure(options, arms, epochs, instances, pool):
    """Regrets and times, shape (policies, families, instances, 3)."""
    jobs = [
        (spec, family, seed, arms, epochs, options.cap, options.workers)
        for spec in options.policies
        for family in options.families
        for seed in range(options.seed, options.seed + instances)
    ]
    found = np.array(list(pool.map(regrets, *zip(*jobs, strict=True), chunksize=4)))
    return found.reshape(len(options.policies), len(options.families), instances, 3)


def cell(values):
    """Mean ± standard error over instances, in hundredths; one instance has no error."""
    mean = f"{100 * values.mean():.1f}"
    if len(values) == 1:
        return mean
    return f"{mean}±{100 * values.std(ddof=1) / len(values) ** 0.5:.1f}"


def kind_of(spec):
    target = catalogue.find("policies", spec).target
    module = target.partition(":")[0].rpartition(".")[2]
    return "textbook" if module in TEXTBOOK else "ours"


def rows(options, found, which):
    """A line per policy: its regret by family, the mean over families, and its time."""
    for spec, regret in zip(options.policies, found, strict=True):
        cells = [cell(values) for values in regret[:, :, which]]
        # Families differ in difficulty, so the error is that of the mean over them by instance.
        mean, spent = cell(regret[:, :, which].mean(axis=0)), np.median(regret[:, :, 2])
        yield [spec, kind_of(spec), *cells, mean, f"{spent:.2f}"]


def report(options):
    head = ["policy", "kind", *options.families, "mean", "ms per decision"]
    parts = [
        "Regret of policies on synthetic learning curves, in hundredths of a unit of reward: mean "
        f"± standard error over instances. {hardware('numpy')}."
    ]
    with ProcessPoolExecutor(options.processes) as pool:
        for arms, epochs, instances in options.size:
            found = measure(options, arms, epochs, instances, pool)
            parts.append(
                f"## {arms} arms, {epochs} epochs, cap {options.cap}, {instances} instances, "
                f"workers: {options.workers}"
            )
            for which, (measured, meaning) in enumerate(MEASURES.items()):
                parts.append(f"{measured}: {meaning}.")
                parts.append(table(head, list(rows(options, found, which))))
    return "\n\n".join(parts)


def size(text):
    arms, epochs, instances = map(int, text.split(":"))
    return arms, epochs, instances


def main():
    names = [entry.name for entry in catalogue.POLICIES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--size",
        type=size,
        nargs="+",
        default=[(5, 100, 20), (50, 500, 4)],
        metavar="ARMS:EPOCHS:INSTANCES",
    )
    parser.add_argument("--cap", type=int, default=100, help="epochs of one arm")
    parser.add_argument("--seed", type=int, default=0, help="of the first instance")
    parser.add_argument("--workers", type=int, default=1, help="simulated, pulls side by side")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--policies", nargs="+", default=names, metavar="POLICY")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    publish(report(options), options.out)


if __name__ == "__main__":
    main()
