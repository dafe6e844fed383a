"""Simple regret of every policy on synthetic learning curves, as a Markdown table.

    python benchmarks/policies_synthetic.py --arms 5 --epochs 100 --instances 40

Each cell is ``checkpoint / arm``, in hundredths of a unit of reward, mean ± standard error over
instances: how far the true reward of the recommended checkpoint, and the best true reward that
the recommended arm has anywhere on its curve, stay below the best of all arms. What is
recommended is decided on the noisy rewards alone. Instances are the same for all policies.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from vaesearch import catalogue
from vaesearch.bandits.core import leader
from vaesearch.bandits.synthetic import FAMILIES, arm_name, run_policy


def regrets(spec, family, seed, arms, epochs, workers):
    """(checkpoint regret, arm regret) of one search."""
    curves = FAMILIES[family].draw(seed, arms, epochs)
    policy = catalogue.build("policies", spec)
    best = leader(run_policy(policy, curves, epochs, seed, workers).arms)
    truth = curves.truth[[arm_name(i) for i in range(arms)].index(best.name)]
    goal = curves.truth.max()
    return goal - truth[np.argmax(best.rewards)], goal - truth.max()


def cell(values):
    """``checkpoint / arm`` from regrets of shape (instances, 2)."""
    means = 100 * values.mean(axis=0)
    errors = 100 * values.std(axis=0, ddof=1) / len(values) ** 0.5
    return " / ".join(f"{m:.1f}±{e:.1f}" for m, e in zip(means, errors, strict=True))


def table(options):
    print(f"| policy | {' | '.join(FAMILIES)} | mean | seconds |")
    print(f"|{'---|' * (len(FAMILIES) + 3)}")
    seeds = range(options.seed, options.seed + options.instances)
    with ProcessPoolExecutor(options.processes) as pool:
        for spec in options.policies:
            start = time.perf_counter()
            jobs = [
                (spec, family, seed, options.arms, options.epochs, options.workers)
                for family in FAMILIES
                for seed in seeds
            ]
            found = np.array(list(pool.map(regrets, *zip(*jobs, strict=True), chunksize=10)))
            rows = found.reshape(len(FAMILIES), options.instances, 2)
            mean = " / ".join(f"{100 * m:.1f}" for m in rows.mean(axis=(0, 1)))
            cells = " | ".join(cell(row) for row in rows)
            print(f"| {spec} | {cells} | {mean} | {time.perf_counter() - start:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arms", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100, help="budget in all")
    parser.add_argument("--instances", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0, help="of the first instance")
    parser.add_argument("--workers", type=int, default=1, help="simulated, pulls side by side")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--policies", nargs="*", default=[e.name for e in catalogue.POLICIES])
    table(parser.parse_args())


if __name__ == "__main__":
    main()
