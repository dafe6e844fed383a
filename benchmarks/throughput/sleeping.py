"""Ray actors whose pulls only sleep: what is left to measure is Ray, and the controller above it.

A loop of Ray calls and nothing else, which is the most that any controller could reach, and the
controller that runs live keep the same actors busy. Nothing here imports torch, so that dozens of
actors fit on a small machine.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from throughput.simulated import Window, make
from throughput.watch import Watch, Watched
from vaesearch.bandits.core import Budget
from vaesearch.events import ArmAdded
from vaesearch.records import Arm, EpochReport, PullReport, PullRequest, TrialSettings
from vaesearch.search.backends.base import Finished
from vaesearch.search.ledger import Ledger

LOOP = "Ray alone"


@dataclass(frozen=True)
class Rate:
    """What came of it.

    Attributes:
        pulls: per second.
        busy: share of the workers' time in pulls.
        ray, control: milliseconds of the processor that the driver's thread takes per pull,
            inside of Ray's calls and outside of them.
        disk: milliseconds of waiting for the disk, per pull.
    """

    pulls: float
    busy: float
    ray: float
    control: float
    disk: float = 0.0


class Sleeper:
    """A worker that has the report of a pull ready, and hands it over when its time is up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def ready(self) -> None:
        """Returns once the worker is up."""

    def carry_out(self, job: PullRequest) -> PullReport:
        """Sleep."""
        time.sleep(self._seconds)
        first = job.from_epoch + 1
        reports = tuple(
            EpochReport(epoch, -4.0 - 1.0 / epoch, self._seconds / job.epochs, {"bpd": 4.0})
            for epoch in range(first, first + job.epochs)
        )
        return PullReport(job.pull, reports, {job.from_epoch + job.epochs: "0" * 64})


@contextmanager
def actors(count: int, seconds: float) -> Iterator[list[Any]]:
    """So many workers that sleep so long, all of them up."""
    made = [ray.remote(num_cpus=0.01)(Sleeper).remote(seconds) for _ in range(count)]
    try:
        ray.get([actor.ready.remote() for actor in made])
        yield made
    finally:
        for actor in made:
            ray.kill(actor)


def loop(made: list[Any], pulls: int, seconds: float) -> Rate:
    """Every worker gets its next pull as soon as it is seen to have finished the last."""
    arm = Arm("arm", TrialSettings("mlp"))
    began, cpu = time.perf_counter(), time.thread_time()
    flying = {actor.carry_out.remote(PullRequest(0, arm, 0, 1)): actor for actor in made}
    sent = len(made)
    while flying:
        (ready,), _ = ray.wait(list(flying), num_returns=1)
        actor = flying.pop(ready)
        ray.get(ready)
        if sent < pulls:
            flying[actor.carry_out.remote(PullRequest(sent, arm, sent, 1))] = actor
            sent += 1
    wall, spent = time.perf_counter() - began, time.thread_time() - cpu
    return Rate(pulls / wall, pulls * seconds / wall / len(made), 1000 * spent / pulls, 0.0)


class Backend:
    """What a Ray backend cannot do without: send a job, take what comes back first."""

    def __init__(self, made: list[Any]) -> None:
        self.workers = len(made)
        self._actors = {f"worker-{n + 1}": actor for n, actor in enumerate(made)}
        self._free = dict.fromkeys(self._actors)
        self._flying: dict[Any, tuple[str, PullRequest, float]] = {}
        self.now = time.monotonic

    def want(self, workers: int) -> None:
        """There are as many as there are."""

    def idle(self) -> list[str]:
        """Workers without a job."""
        return list(self._free)

    def submit(self, job: Any, worker: str) -> None:
        """Send a job."""
        del self._free[worker]
        self._flying[self._actors[worker].carry_out.remote(job)] = worker, job, self.now()

    def wait(self, timeout: float) -> list[Finished]:
        """The first result, and those that are there by then."""
        if not self._flying:
            return []
        first, _ = ray.wait(list(self._flying), num_returns=1, timeout=timeout)
        rest = [r for r in self._flying if r not in first]
        more, _ = ray.wait(rest, num_returns=len(rest), timeout=0) if rest else ([], [])
        return [self._finished(reference) for reference in (*first, *more)]

    def close(self) -> None:
        """The actors are not ours."""

    def _finished(self, reference: Any) -> Finished:
        worker, job, since = self._flying.pop(reference)
        self._free[worker] = None
        return Finished(worker, job, ray.get(reference), self.now() - since)


def search(
    policy: str, made: list[Any], pulls: int, seconds: float, arms: int, folder: Path
) -> Rate:
    """The controller that runs live, with its ledger, over these workers."""
    backend, watch = Backend(made), Watch()
    watched = Watched(backend, watch, "simulation", ("idle", "submit", "wait"))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        log = Ledger(Path(place) / "ledger.jsonl")
        window = Window(0, pulls, watch, backend)
        budget = Budget(epochs=20 * arms, workers=len(made))
        controller = make(log, budget, policy, watched, watch, window)
        for number in range(arms):
            controller.record(ArmAdded(f"arm-{number:03d}", {"decoder": "mlp"}, 1), sync=False)
        began = time.perf_counter()
        controller.run()
        wall = time.perf_counter() - began
        log.close()
    cost, done = window.cost(len(made)), controller.state.pulls
    in_ray = 1000 * watch.cpu["simulation"] / done
    return Rate(done / wall, done * seconds / wall / len(made), in_ray, cost.cpu, cost.disk)
