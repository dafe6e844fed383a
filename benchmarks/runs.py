"""One policy or peer on one instance with one budget: what it would recommend, and when."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from common import version
from instances import Instance, Pool, draw
from peers import PEERS
from peers.drive import Step, Trace

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.events import Event, PullFinished
from vaesearch.search.replays import replay
from vaesearch.search.state import SearchState

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Task:
    """What to run: the player is one of our policies (with options) or a peer."""

    player: str
    dataset: str
    size: int
    number: int
    share: float
    seed: int
    workers: int = 1


@dataclass(frozen=True)
class Run:
    """What came of a task.

    Attributes:
        task: it.
        arm: recommended: the one with the best checkpoint on validation; None if nothing ran.
        epoch: of that checkpoint.
        spent: epochs, of all arms.
        hit: epochs spent when a checkpoint was first within 1 % of the best final value on
            validation; None if none was.
        seconds: of processor time for the whole replay.
    """

    task: Task
    arm: str | None
    epoch: int
    spent: float
    hit: float | None
    seconds: float


def play(task: Task, pool: Pool) -> Run:
    """Run ``task`` on its instance."""
    drawn = draw(pool, task.size, task.number)
    assert drawn is not None, f"{task} has no instance"
    instance = drawn.shuffled(task.seed)
    epochs = instance.epochs(task.share)
    peers = {peer.name: peer for peer in PEERS}
    began = time.process_time()
    if task.player in peers:
        trace = peers[task.player].play(instance, epochs, task.seed, task.workers)
    else:
        trace = play_policy(task.player, instance, epochs, task.seed, task.workers)
    return _judge(task, instance, trace, time.process_time() - began)


def play_policy(spec: str, instance: Instance, epochs: int, seed: int, workers: int) -> Trace:
    """One of our policies, by the controller that runs live.

    Arms are called by their place in the random order. A policy may break ties by name, and the
    recorded names tell which arms are alike; sorted, they even start with the best ones.
    """
    names = [f"arm-{place:03d}" for place in range(instance.size)]
    number = {name: arm for arm, name in enumerate(names)}
    trace: Trace = []

    def observe(event: Event, state: SearchState) -> None:
        if isinstance(event, PullFinished):
            for report in event.reports:
                trace.append(Step(len(trace) + 1, number[event.arm], report["epoch"]))

    replay(
        instance.pool.recording,
        dict(zip(names, instance.curves.values(), strict=True)),
        catalogue.build("policies", spec),
        Budget(epochs, cap=instance.cap, workers=workers),
        seed=seed,
        observers=(observe,),
    )
    return trace


def _judge(task: Task, instance: Instance, trace: Trace, seconds: float) -> Run:
    rewards = [instance.valid[step.arm, step.epoch - 1] for step in trace]
    if not trace:
        return Run(task, None, 0, 0.0, None, round(seconds, 4))
    best = trace[max(range(len(trace)), key=rewards.__getitem__)]
    hits = (s.spent for s, reward in zip(trace, rewards, strict=True) if reward >= instance.goal)
    return Run(
        task, instance.names[best.arm], best.epoch, trace[-1].spent, next(hits, None),
        round(seconds, 4),
    )  # fmt: skip


class Cache:
    """Runs in a file, one per line, each valid for the code and the curves it came from."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._runs: dict[str, Run] = {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                key, data = json.loads(line)
                self._runs[key] = Run(**{**data, "task": Task(**data["task"])})

    def get(self, task: Task, digest: str) -> Run | None:
        """The run, if it is of this code and of these curves."""
        return self._runs.get(_key(task, digest))

    def add(self, runs: Iterable[tuple[Run, str]]) -> None:
        """Keep runs, each with the digest of its instance."""
        new = {_key(run.task, digest): run for run, digest in runs}
        self._runs |= new
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                for key, run in new.items():
                    file.write(json.dumps([key, asdict(run)]) + "\n")


def _key(task: Task, digest: str) -> str:
    return json.dumps([asdict(task), digest, _stamp(task.player)], sort_keys=True)


@cache
def _stamp(player: str) -> str:
    """Changes with the code of the player, and with how it is played."""
    found = {peer.name: peer for peer in PEERS}.get(player)
    if found is not None:
        package = version(found.package.partition("[")[0]) if found.package else ""
        return _digest(_HERE / "runs.py", *sorted((_HERE / "peers").glob("*.py"))) + package
    package_folder = Path(catalogue.__file__).parent
    sources = [p for name in ("bandits", "search") for p in (package_folder / name).glob("*.py")]
    return _digest(_HERE / "runs.py", *sorted(sources))


def _digest(*paths: Path) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
