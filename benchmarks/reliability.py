"""A search on a cluster whose machines come and go, twenty times; what it cost is counted.

    python benchmarks/reliability.py --rounds 20 --out benchmarks/results/reliability.md

Every round starts a Ray head and nodes of one CPU on this machine, a search on them that MLflow
follows, and an agent that strikes at random moments: it adds nodes, stops and kills them, kills
single workers, stops others in mid-air, and kills the driver, which is then resumed. Afterwards
the ledger, the checkpoints and MLflow are held against what is promised. Finished rounds are kept
in ``--work`` and not repeated; ``--only 3 7`` runs these alone, ``--table`` none. ``--docs FILE``
puts the figures into a page, between its marks.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from chaos.accounts import losses
from chaos.agent import Agent
from chaos.checks import CHECKS, of_ledger, of_mlflow
from chaos.machines import Machines
from chaos.page import between, report, summary
from chaos.search import Driver, Size, environment, undisturbed
from common import publish

LONGEST = 900.0  # seconds of one round


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of rounds, from 1")
    parser.add_argument("--seed", type=int, default=0, help="of the first round, less one")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--work", type=Path, default=Path("runs/reliability"))
    parser.add_argument("--table", action="store_true", help="only make the page")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--docs", type=Path, help="page whose figures are replaced")
    options = parser.parse_args()
    work = options.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    numbers = options.only or range(1, options.rounds + 1)
    for number in [] if options.table else numbers:
        if not (work / f"round-{number}.json").exists():
            play(number, options.seed, options.epochs, work)
    found = [json.loads(path.read_text()) for path in sorted(work.glob("round-*.json"))]
    found.sort(key=lambda outcome: outcome["number"])
    publish(report(found), options.out)
    if options.docs:
        options.docs.write_text(between(options.docs.read_text(), summary(found)))
    return 0 if all(all(outcome["checks"].values()) for outcome in found) else 1


def play(number: int, seed: int, epochs: int, work: Path) -> None:
    """One round, from the first node to its record."""
    size = Size(epochs, cap=epochs // 2, chunk=1 + number % 2 * 2)
    reference = undisturbed(work / f"undisturbed-{size.cap}", size.cap)
    folder, tracking = work / f"round-{number}", f"sqlite:///{work / 'mlflow.db'}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".log").unlink(missing_ok=True)
    print(f"round {number}: {epochs} epochs, {size.chunk} per pull", flush=True)
    began = time.monotonic()
    with Machines() as machines:
        for _ in range(random.Random(number).randrange(1, 4)):
            machines.add()
        driver = Driver(folder, machines.address, tracking, size)
        driver.start()
        agent = Agent(machines, driver, 1000 * seed + number)
        try:
            trouble = agent.run(LONGEST)
        finally:
            driver.kill()
    seconds = time.monotonic() - began
    events = driver.events()
    lost = losses(events, agent.strikes)
    synced = sync(folder)
    checks = of_ledger(folder, events, epochs, reference, lost) if events else {}
    checks |= of_mlflow(tracking, folder, events) if events else {}
    checks = {name: checks.get(name, False) for name in CHECKS}
    outcome = {
        "number": number, "seconds": seconds, "chunk": size.chunk, "epochs": epochs,
        "trouble": trouble, "synced": synced, "drivers": driver.starts, "checks": checks,
        "strikes": [asdict(strike) for strike in agent.strikes],
        "losses": [
            {"kind": loss.strike.kind if loss.strike else "nothing",
             "epochs": loss.attempt.epochs, "seconds": loss.seconds} for loss in lost
        ],
    }  # fmt: skip
    (work / f"round-{number}.json").write_text(json.dumps(outcome, indent=1))
    broken = [name for name, holds in checks.items() if not holds]
    print(f"round {number}: {seconds:.0f} s, {len(lost)} pulls lost, broken: {broken or 'nothing'}"
          f"{', ' + trouble if trouble else ''}", flush=True)  # fmt: skip


def sync(folder: Path) -> bool:
    """Send what MLflow lacks after the last driver ended; whether that worked."""
    done = subprocess.run(
        [sys.executable, "-m", "vaesearch", "sync", str(folder)],
        env=environment(), check=False, capture_output=True,
    )  # fmt: skip
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
