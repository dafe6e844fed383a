"""How many workers one controller can feed, and where it saturates: real, simulated, sleeping.

    python benchmarks/scaling.py --out benchmarks/results/scaling.md
    python benchmarks/scaling.py --only simulated fewer --policies auto thompson
    python benchmarks/scaling.py --only changed --against ../vaesearch-before

A search waits for its controller when pulls come back faster than it can decide on the next ones.
What it takes per pull is measured by part, with replayed pulls that cost nothing and a real ledger
on disk; with Ray actors whose pulls sleep; and with real training. Parts can be run alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

from common import hardware, publish
from throughput import page, proposed, simulated, sizes, sleeping
from throughput.own_ray import own_ray
from throughput.simulated import Cost, Load

HERE = Path(__file__).parent
SECONDS = 0.2  # of a pull that sleeps
WORKERS = tuple(2**n for n in range(9))
ARMS = 512
FEWER = (16, 64, 128, ARMS)


class Report:
    """Measures and writes one section after another.

    Args:
        options: of the command line.
        folder: on the disk to measure.
    """

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._costs: dict[tuple[str, int], list[Cost]] = {}
        self._in_ray: float | None = None

    def real(self) -> str:
        """Training on one and two workers."""
        from throughput import real

        with own_ray(2):
            found = real.measure(
                self._options.epochs,
                self._options.repeats,
                self._folder,
                not self._options.no_tune,
            )
        return (
            f"## Real workers\n\n{len(real.ARMS)} arms, {self._options.epochs} epochs, uniform, "
            "a core for each worker. Efficiency: throughput over that of one worker times the "
            f"number of workers.\n\n{page.real(found)}"
        )

    def sleeping(self) -> str:
        """Ray actors whose pulls sleep."""
        counts = self._options.sleepers
        found: dict[tuple[str, int], list[sleeping.Rate]] = {}
        with own_ray(2), sleeping.actors(max(counts), SECONDS) as made:
            for _ in range(self._options.repeats):
                for workers in counts:
                    some, pulls = made[:workers], max(15, 8 * workers)
                    rates = {"Ray alone": sleeping.loop(some, pulls, SECONDS)}
                    for policy in ("uniform", "auto"):
                        rates[policy] = sleeping.search(
                            policy, some, pulls, SECONDS, max(128, 2 * workers), self._folder
                        )
                    for name, rate in rates.items():
                        found.setdefault((name, workers), []).append(rate)
        self._in_ray = median(r.ray for r in found["uniform", max(counts)])
        return (
            f"## Ray actors that sleep\n\nPulls of {SECONDS} s on actors that share this "
            "machine's cores. Milliseconds are of the driver's thread, per pull.\n\n"
            f"{page.slept(found, SECONDS)}"
        )

    def simulated(self) -> str:
        """Costs of the controller on replayed pulls."""
        options = self._options
        for _ in range(options.repeats):
            for workers in options.workers:
                for policy in options.policies:
                    load = Load(policy, ARMS, workers, max(options.pulls, workers))
                    cost = simulated.measure(load, self._folder)
                    self._costs.setdefault((policy, workers), []).append(cost)
        most = {policy: self._costs[policy, max(options.workers)] for policy in options.policies}
        texts = [
            f"## Simulated workers\n\n{ARMS} arms with recorded curves, {simulated.EPOCHS} epochs "
            f"each in the budget; {options.pulls} pulls or more are timed, after "
            f"{simulated.LOOKS} of every arm. Milliseconds of the processor that the controller "
            "takes per pull, its ledger included:",
            page.totals(self._costs),
            f"With {max(options.workers)} workers, by part, and with the waiting for the disk:",
            page.parts(most),
        ]
        if self._in_ray is not None:
            texts += [
                "Workers that one controller can feed, by that, if Ray's calls take another "
                f"{self._in_ray:.2f} ms of its thread (see below):",
                page.fed(most, self._in_ray),
            ]
        return "\n\n".join(texts)

    def fewer(self) -> str:
        """Whether there are arms enough for all workers."""
        policies, workers = self._options.policies, 64
        found = {
            (policy, arms): simulated.measure(
                Load(policy, arms, workers, max(3 * workers, arms), ledger=False), self._folder
            )
            for policy in policies
            for arms in FEWER
        }
        return (
            f"## Distinct arms\n\nShare of the time of {workers} simulated workers that went into "
            "pulls: an arm has one pull in flight at most, and with a budget in epochs policies "
            f"let workers wait rather than pull what is not worth it.\n\n{page.used(found)}"
        )

    def proposed(self) -> str:
        """A search whose arms are proposed, with its observers."""
        found: dict[str, list[Cost]] = {}
        for _ in range(self._options.repeats):
            for mirror in proposed.MIRRORS:
                cost = proposed.measure(
                    64, self._options.pulls, mirror, self._folder, trials=2 * self._options.pulls
                )
                found.setdefault(mirror, []).append(cost)
        return (
            "## Proposals\n\nTPE on 64 simulated workers, up to "
            f"{2 * self._options.pulls} trials, with the study mirrored nowhere, in SQLite, and "
            f"in a storage that takes {proposed.SLOW} s longer over each write.\n\n"
            f"{page.parts(found, 'Study')}"
        )

    def sizes(self) -> str:
        """A thousand arms: time and memory."""
        pulls = 40 * self._options.pulls
        return f"## A thousand arms\n\n{sizes.report(pulls, decisions=10)}"

    def changed(self) -> str:
        """The same by another version of the package."""
        if self._options.against is None:
            sys.exit("--only changed needs --against FOLDER, a checkout of another version")
        before: dict[str, list[Cost]] = {}
        after: dict[str, list[Cost]] = {}
        for _ in range(self._options.repeats):
            for workers in (1, 256):
                for policy in self._options.policies:
                    load = asdict(Load(policy, ARMS, workers, max(self._options.pulls, workers)))
                    name = f"{policy}, {workers} workers"
                    before.setdefault(name, []).append(self._by(self._options.against, load))
                    after.setdefault(name, []).append(self._by(HERE.parent, load))
            tuned = {"proposed": self._options.pulls}
            before.setdefault("TPE, 64 workers", []).append(self._by(self._options.against, tuned))
            after.setdefault("TPE, 64 workers", []).append(self._by(HERE.parent, tuned))
        return (
            "## Before and after\n\nProcessor time of the controller per pull by an earlier "
            f"version and by this one, in turn.\n\n{page.changed(before, after)}"
        )

    def _by(self, version: Path, load: dict) -> Cost:
        """A measurement by the package in ``version``."""
        command = [sys.executable, "-m", "throughput.once", json.dumps(load), str(self._folder)]
        path = os.pathsep.join([str(version.absolute()), str(HERE)])
        environment = os.environ | {"PYTHONPATH": path}
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, cwd=HERE
        )
        return Cost(**json.loads(ran.stdout.splitlines()[-1]))


PARTS = ("sleeping", "simulated", "fewer", "proposed", "sizes", "real", "changed")
ORDER = ("real", "simulated", "sleeping", "fewer", "proposed", "sizes", "changed")


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        report = Report(options, Path(folder))
        chosen = options.only or [part for part in PARTS if part != "changed" or options.against]
        texts = {part: section(report, part)() for part in PARTS if part in chosen}
        title = f"# Scaling\n\n{hardware('numpy', 'torch', 'ray', 'optuna')}. {options.repeats} "
        title += f"repeats in turn, median (min-max). Load when it began: {LOAD:.1f}."
        text = "\n\n".join([title, *(texts[part] for part in ORDER if part in texts)])
        publish(text, options.out)
        if options.out and report._costs:
            page.picture(report._costs, options.out.with_suffix(".png"))


LOAD = os.getloadavg()[0]


def section(report: Report, part: str) -> Callable[[], str]:
    found: Callable[[], str] = getattr(report, part)
    return found


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", nargs="+", choices=PARTS)
    add("--repeats", type=int, default=3)
    add("--policies", nargs="+", default=["auto", "thompson", "asha", "uniform"])
    add("--workers", nargs="+", type=int, default=list(WORKERS), help="simulated")
    add("--pulls", type=int, default=200, help="timed, of each simulated search")
    add("--sleepers", nargs="+", type=int, default=[1, 4, 16, 64], help="Ray actors that sleep")
    add("--epochs", type=int, default=24, help="of real training, of each way")
    add("--no-tune", action="store_true", help="leave Ray Tune out")
    add("--against", type=Path, help="checkout of another version, to compare with")
    add("--folder", type=Path, help="on the disk to measure; default: temporary")
    add("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
