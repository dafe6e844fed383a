"""A replayed search on simulated workers, with a clock around each part of the controller."""

import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from throughput.recorded import reports
from throughput.watch import Watch, Watched
from vaesearch import catalogue
from vaesearch.bandits.core import Budget, History
from vaesearch.events import ArmAdded, Event, PullFinished
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller, Observer
from vaesearch.search.ledger import Ledger
from vaesearch.search.replays import MemoryLog
from vaesearch.search.state import SearchState, fold

PARTS = ("decision", "proposal", "ledger", "observers")
EPOCHS = 20  # of the budget, for each arm
LOOKS = 2  # pulls of each arm before the clock starts: first looks cost no projection


@dataclass(frozen=True)
class Load:
    """What is simulated.

    Attributes:
        policy: a catalogue spec.
        arms: how many.
        workers: how many.
        pulls: that are timed, after the first looks at each arm.
        ledger: whether there is one on disk.
    """

    policy: str
    arms: int
    workers: int
    pulls: int
    ledger: bool = True


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the controller per pull.

    Attributes:
        decision, proposal, ledger, observers, rest: of the processor.
        disk: of waiting for it.
        used: share of the workers' virtual time that went into pulls.
    """

    decision: float
    proposal: float
    ledger: float
    observers: float
    rest: float
    disk: float
    used: float

    @property
    def cpu(self) -> float:
        """Of the processor, in all."""
        return self.decision + self.proposal + self.ledger + self.observers + self.rest

    @property
    def total(self) -> float:
        """During which the controller can do nothing else."""
        return self.cpu + self.disk


@dataclass
class Window:
    """The pulls from ``first`` on, ``count`` of them; the search ends behind the last.

    It is the controller's stop rule, which is asked before each decision.
    """

    first: int
    count: int
    watch: Watch
    backend: Any
    marks: list[tuple[float, float, dict[str, float], dict[str, float]]] = field(
        default_factory=list
    )
    virtual: float = 0.0  # seconds in pulls that ended within it

    def __call__(self, history: History) -> str | None:
        """Note the time at both ends; the reason to stop at the second one."""
        due = (self.first, self.first + self.count)
        if len(self.marks) < 2 and history.decisions >= due[len(self.marks)]:
            watch = self.watch
            mark = time.thread_time(), self.backend.now(), dict(watch.cpu), dict(watch.wall)
            self.marks.append(mark)
        return "enough" if len(self.marks) == 2 else None

    def observe(self, event: Event, state: SearchState) -> None:
        """Add up what the workers did."""
        if isinstance(event, PullFinished) and len(self.marks) == 1:
            self.virtual += sum(r["seconds"] for r in event.reports)

    def cost(self, workers: int) -> Cost:
        """Per pull."""
        (began, since, cpu, wall), (ended, until, cpu_now, wall_now) = self.marks
        each = 1000 / self.count
        spent = {part: each * (cpu_now[part] - cpu.get(part, 0.0)) for part in cpu_now}
        waited = {part: each * (wall_now[part] - wall.get(part, 0.0)) for part in wall_now}
        known = [spent.get(part, 0.0) for part in PARTS]
        rest = each * (ended - began) - sum(known) - spent["simulation"]
        disk = max(0.0, waited["ledger"] - spent["ledger"])
        used = self.virtual / (workers * max(until - since, 1e-9))
        return Cost(*known, rest, disk, min(used, 1.0))


def measure(load: Load, folder: Path) -> Cost:
    """Replay one search; its ledger is on the disk of ``folder``, and waits for it once timed."""
    curves = reports(load.arms)
    watch = Watch()
    budget = Budget(epochs=EPOCHS * load.arms, workers=load.workers)
    replayed = ReplayBackend(curves, load.workers)
    log: Any = MemoryLog(replayed)
    with tempfile.TemporaryDirectory(dir=folder) as place, ExitStack() as stack:
        window = Window(LOOKS * load.arms, load.pulls, watch, replayed)
        if load.ledger:
            ledger = stack.enter_context(closing(Ledger(Path(place) / "ledger.jsonl")))
            log = _Hasty(ledger, window)
        controller = make(log, budget, load.policy, replayed, watch, window)
        for name, curve in curves.items():
            controller.record(ArmAdded(name, {"decoder": "mlp"}, 1, limit=len(curve)))
        controller.run()
    return window.cost(load.workers)


class _Hasty:
    """A ledger that is forced to disk while the window is open only, to get there sooner."""

    def __init__(self, ledger: Ledger, window: Window) -> None:
        self._ledger, self._window = ledger, window

    def append(self, event: Event, *, sync: bool = True) -> Event:
        """As the ledger does."""
        return self._ledger.append(event, sync=sync and len(self._window.marks) == 1)


def make(
    log: Any, budget: Budget, policy: str, backend: Any, watch: Watch, window: Window,
    observers: tuple[Observer, ...] = (), **options: Any,
) -> Controller:  # fmt: skip
    """The controller that runs live, watched."""
    return Controller(
        Watched(log, watch, "ledger", ("append",)),
        fold([], budget),
        Watched(catalogue.build("policies", policy), watch, "decision", ("choose",)),
        Watched(backend, watch, "simulation", ("idle", "submit", "wait")),
        seed=0,
        observers=(*(watch.around("observers", o) for o in observers), window.observe),
        stop=window,
        **options,
    )
