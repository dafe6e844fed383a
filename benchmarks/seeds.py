"""Does the ranking of ``vaesearch bandit`` hold when the seed changes? Whole runs of the command.

python benchmarks/seeds.py --seeds 5 --out benchmarks/results/seeds.md [-- any option of bandit]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import Any

from common import hardware, publish, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("options", nargs="*", help="after --: any option of `vaesearch bandit`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [run(Path(folder), seed, arguments.options) for seed in range(arguments.seeds)]
    publish(report(runs, arguments.options), arguments.out)


def run(folder: Path, seed: int, options: list[str]) -> dict[str, Any]:
    """The results of one search, and its wall-clock seconds from start to end."""
    run_dir = folder / f"seed-{seed}"
    command = [sys.executable, "-m", "vaesearch", "bandit", "--seed", str(seed), "--json",
               "--run-dir", str(run_dir), *options]  # fmt: skip
    begun = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) | {"wall": time.perf_counter() - begun}


def report(runs: list[dict[str, Any]], options: list[str]) -> str:
    command = " ".join(["vaesearch bandit", *options])
    rows = [
        [
            str(run["seed"]),
            ", ".join(f"{arm['name']} {-arm['reward']:.3f}" for arm in run["arms"]),
            f"{run['arms'][0]['test']['bpd']:.3f}",
            str(run["epochs"]),
            f"{run['wall']:.0f}",
        ]
        for run in runs
    ]
    head = [
        "seed",
        "arms, best first (validation bits/dim)",
        "test, best arm",
        "epochs",
        "seconds",
    ]
    pairs = [agreement(names(a), names(b)) for a, b in combinations(runs, 2)]
    agreed = f"Two seeds agree on {sum(pairs) / len(pairs):.0%} of the pairs of arms.\n"
    machine = hardware("torch", "ray", "mlflow")
    return "\n".join([f"`{command}`\n", machine + "\n", table(head, rows), "", agreed])


def names(run: dict[str, Any]) -> list[str]:
    return [arm["name"] for arm in run["arms"]]


def agreement(first: list[str], second: list[str]) -> float:
    """Share of the pairs of arms that both rankings order alike."""
    pairs = list(combinations(first, 2))
    return sum(second.index(a) < second.index(b) for a, b in pairs) / len(pairs)


if __name__ == "__main__":
    main()
