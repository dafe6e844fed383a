"""Every policy and other people's schedulers on the same recorded learning curves.

    python benchmarks/policies.py --out benchmarks/results/policies.md
    python benchmarks/policies.py --datasets digits --arms 5 --policies thompson,ucb --no-peers

What is measured and how is in benchmarks/README.md. Results are kept in ``--cache`` and valid for
as long as the code they came from does not change, so a run that was stopped goes on, and after a
change of our policies only those are run again.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import tables
from common import publish
from instances import Instance, Pool, draw, load_pools
from peers import PEERS
from runs import Cache, Run, Task, play
from scores import cells

from vaesearch import catalogue

DATASETS = ("mnist", "cifar10", "digits")
FEW = (tables.FITTED_ON, 10)  # no evidence comes from it, so its largest K are left out
Instances = dict[tuple[str, int, int], Instance]
_pools: dict[str, Pool] = {}


def main() -> None:
    options = parse()
    pools = load_pools(options.curves, options.datasets)
    if not pools:
        sys.exit(f"no curves of {', '.join(options.datasets)} in {options.curves}")
    if options.check:
        from peers import optimize_check, tuner_check

        checked = [tuner_check.check(pools), optimize_check.check(pools)]
        publish("\n\n".join(checked), options.out)
        return
    players = chosen(options)
    instances = {
        (name, size, number): instance
        for name, pool in pools.items()
        for size, count in zip(options.arms, options.instances, strict=True)
        if not (name == FEW[0] and size > FEW[1] and len(pools) > 1)
        for number in range(count)
        if (instance := draw(pool, size, number)) is not None
    }
    runs = list(collect(list(tasks(players, instances, options)), instances, options))
    publish(tables.report(cells(runs, instances), options, pools), options.out)


def parse() -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--curves", type=Path, default=Path(__file__).parent / "curves")
    add("--datasets", type=lambda s: s.split(","), default=DATASETS)
    add("--arms", type=numbers, default=[5, 10, 20, 50], help="numbers of arms, K")
    add("--budgets", type=numbers, default=[10, 25, 50, 100], help="%% of all arms x all epochs")
    add(
        "--instances",
        type=numbers,
        default=[30, 30, 20, 6],
        help="per data set, for all K or one for each",
    )
    add(
        "--seeds",
        type=numbers,
        default=[2, 1, 1, 1],
        help="policy seeds per instance (they also shuffle the arms), for all K or one for each",
    )
    add("--workers", type=int, default=1, help="virtual workers side by side")
    add(
        "--policies",
        default="all",
        help="ours, separated by commas, options after a colon; "
        "several options of one policy: separate policies by ';' instead",
    )
    add("--peers", default="all", help="theirs, separated by commas")
    add("--no-peers", action="store_true")
    add("--focus", default="auto", help="the policy whose wins and losses are listed")
    add("--processes", type=int, default=os.cpu_count() or 1)
    add("--cache", type=Path, default=Path("runs/policies.jsonl"))
    add(
        "--check",
        action="store_true",
        help="compare our drives with a real Tuner and with study.optimize",
    )
    add("--out", type=Path)
    options = parser.parse_args()
    for name in ("instances", "seeds"):
        given = getattr(options, name)
        if len(given) == 1:
            given *= len(options.arms)
        if len(given) != len(options.arms):
            parser.error(f"--{name} has {len(given)} numbers for {len(options.arms)} K")
    return options


def chosen(options: argparse.Namespace) -> list[str]:
    """Ours, then theirs; a peer that is not installed is left to the tables to mention."""
    text: str = options.policies
    ours = [entry.name for entry in catalogue.POLICIES]
    if text != "all":
        ours = text.split(";" if ";" in text else ",")
        for spec in ours:
            catalogue.build("policies", spec)
    if options.no_peers:
        return ours
    theirs = [peer.name for peer in PEERS if peer.installed]
    if options.peers != "all":
        theirs = [name for name in theirs if name in options.peers.split(",")]
    return ours + theirs


def tasks(players: list[str], instances: Instances, options: argparse.Namespace) -> Iterator[Task]:
    seeds = dict(zip(options.arms, options.seeds, strict=True))
    for player in players:
        for dataset, size, number in instances:
            for percent in options.budgets:
                for seed in range(seeds[size]):
                    yield Task(player, dataset, size, number, percent / 100, seed, options.workers)


def collect(
    wanted: list[Task], instances: Instances, options: argparse.Namespace
) -> Iterator[Run]:
    """What is cached, and the rest from all processes, the largest first."""
    cache = Cache(options.cache)
    digests = {key: instance.digest for key, instance in instances.items()}
    found = {t: cache.get(t, digests[t.dataset, t.size, t.number]) for t in wanted}
    missing = [task for task, run in found.items() if run is None]
    missing.sort(key=lambda task: task.size * task.share, reverse=True)
    began = time.monotonic()
    print(f"{len(missing)} of {len(wanted)} runs to do, the longest first", file=sys.stderr)
    if missing:
        context = multiprocessing.get_context("spawn")
        with context.Pool(options.processes, _load, (options.curves, options.datasets)) as pool:
            for done, run in enumerate(pool.imap_unordered(_play, missing, chunksize=4), start=1):
                t = run.task
                found[t] = run
                cache.add([(run, digests[t.dataset, t.size, t.number])])
                if done % 500 == 0:
                    spent = time.monotonic() - began
                    print(f"{done} of {len(missing)}, {spent:.0f} s", file=sys.stderr, flush=True)
    yield from (run for run in found.values() if run is not None)


def _load(folder: Path, datasets: list[str]) -> None:
    _pools.update(load_pools(folder, datasets))


def _play(task: Task) -> Run:
    return play(task, _pools[task.dataset])


if __name__ == "__main__":
    main()
