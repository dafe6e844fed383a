"""The agent of chaos: what it does, when, and what it hit, all from one seed."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from chaos.machines import Machines
from chaos.processes import read, send
from chaos.search import Driver

MOST_NODES = 4
EPOCHS = 14.0  # mean between two strikes, so that a slow machine is struck as often as a fast one
PATIENCE = 20.0  # seconds after which it strikes though the search has not come so far
HASTE = 0.25  # share of the strikes that follow within three seconds, whoever is still starting
NOTICE = 2.0  # seconds that a reclaimed node is told before
SOON = 3.0  # seconds; also the longest time without any node
# How often each is chosen.
WEIGHTS = {
    "add node": 6, "stop node": 1, "kill node": 2, "cut power": 1, "reclaim node": 1,
    "kill worker": 3, "hang worker": 1,
}  # fmt: skip
KINDS = (*WEIGHTS, "kill driver")
OF_NODES = ("stop node", "kill node", "cut power", "reclaim node")
OF_WORKERS = ("kill worker", "hang worker")


@dataclass(frozen=True)
class Strike:
    """What was done from ``time`` to ``until`` (Unix seconds), and how many workers it hit."""

    kind: str
    time: float
    until: float
    hit: int = 0


class Agent:
    """Strikes at random moments until the search has ended.

    Args:
        machines: of the search.
        driver: of the search, started.
        seed: of kinds, moments and targets. What they meet also depends on the machine.
    """

    def __init__(self, machines: Machines, driver: Driver, seed: int) -> None:
        self.strikes: list[Strike] = []
        self._machines = machines
        self._driver = driver
        self._random = random.Random(seed)
        # The driver dies once or twice, after so many epochs.
        shares = [self._random.uniform(0.1, 1.0) for _ in range(self._random.randrange(1, 3))]
        self._kills = sorted(share * driver.size.epochs for share in shares)
        self._stopped: list[int] = []
        self._bare_since: float | None = None

    def run(self, seconds: float) -> str | None:
        """Strike until the search ends or fails; why it did not end well, or None.

        Args:
            seconds: that the search may take.
        """
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                if self._waited():
                    status = self._driver.status()
                    return None if status == 0 else f"the driver ended with status {status}"
                if self._driver.epochs() is not None:
                    self._strike()
            return f"the search had not ended after {seconds:.0f} s"
        finally:
            self._let_go()

    def _waited(self) -> bool:
        """Wait for the next moment to strike; whether the search ended before."""
        goal = (self._driver.epochs() or 0) + self._random.expovariate(1 / EPOCHS)
        hasty = self._random.random() < HASTE or not self._machines.names
        end = time.monotonic() + (self._random.uniform(0, SOON) if hasty else PATIENCE)
        while time.monotonic() < end and (self._driver.epochs() or 0) < goal:
            if self._driver.wait(0.1):
                return True
        return self._driver.wait(self._random.uniform(0, 0.1))

    def _strike(self) -> None:
        kind = self._kind()
        began = time.time()
        hit = self._acts()[kind]()
        strike = Strike(kind, began, time.time(), hit)
        self.strikes.append(strike)
        print(f"  {time.strftime('%X')} {kind}, workers hit: {hit}", flush=True)

    def _kind(self) -> str:
        if not self._machines.names:
            return "add node"
        if self._kills and (self._driver.epochs() or 0) >= self._kills[0]:
            del self._kills[0]
            return "kill driver"
        kinds = [kind for kind in WEIGHTS if self._is_possible(kind)]
        return self._random.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]

    def _is_possible(self, kind: str) -> bool:
        if kind == "add node":
            return len(self._machines.names) < MOST_NODES
        if kind == "hang worker":
            return bool(self._busy())
        return bool(self._workers()) if kind in OF_WORKERS else bool(self._machines.names)

    def _acts(self) -> dict[str, Callable[[], int]]:
        machines = self._machines
        return {
            "add node": self._add,
            "stop node": lambda: len(machines.stop(self._node())),
            "kill node": lambda: len(machines.kill(self._node())),
            "cut power": lambda: len(machines.cut_power(self._node())),
            "reclaim node": lambda: len(machines.reclaim(self._node(), NOTICE)),
            "kill worker": self._kill_worker,
            "hang worker": self._hang_worker,
            "kill driver": self._kill_driver,
        }

    def _node(self) -> str:
        """A node, rather one that has a worker."""
        names = self._machines.names
        staffed = [name for name in names if self._machines.actors(name)]
        return self._random.choice(staffed or names)

    def _workers(self) -> list[int]:
        found = [pid for name in self._machines.names for pid in self._machines.actors(name)]
        return [pid for pid in found if pid not in self._stopped]

    def _busy(self) -> list[int]:
        """Workers in the middle of a job: one that is still starting is given minutes."""
        return [pid for pid in self._workers() if ".carry_out" in read(pid, "cmdline")]

    def _add(self) -> int:
        self._machines.add()
        return 0

    def _kill_worker(self) -> int:
        workers = self._workers()
        return int(bool(workers) and send(self._random.choice(workers), signal.SIGKILL))

    def _hang_worker(self) -> int:
        busy = self._busy()
        if not busy:  # it has ended since
            return 0
        pid = self._random.choice(busy)
        self._stopped.append(pid)
        return int(send(pid, signal.SIGSTOP))

    def _kill_driver(self) -> int:
        hit = len(self._workers())
        self._driver.kill()
        time.sleep(self._random.uniform(0, 1))
        self._driver.start()
        return hit

    def _let_go(self) -> None:
        for pid in self._stopped:
            send(pid, signal.SIGKILL)
