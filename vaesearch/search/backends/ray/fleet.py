"""The machines of the cluster, looked at every few seconds, and what came of workers on them."""

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace

from vaesearch.search.backends.ray import cluster
from vaesearch.search.backends.ray.planning import Growth, Machine

LOOK_SECONDS = 2.0
MOST_FALSE_STARTS = 3
_ADDRESS = re.compile(r"\bip\s*[=:]\s*([0-9a-fA-F.:]*[0-9a-fA-F])")


class Fleet:
    """Which machines there are.

    Args:
        note: told once of each machine that cannot be used.
    """

    def __init__(self, note: Callable[[str], None] = lambda text: None) -> None:
        self._note = note
        self._failures: Counter[str] = Counter()
        self._looked = float("-inf")
        self._machines: dict[str, Machine] = {}
        self._silent: set[str] = set()
        self.growth: Growth = cluster.growth()
        self.look(0.0)

    @property
    def machines(self) -> list[Machine]:
        """All that are there."""
        return [machine for machine in self._machines.values() if machine.alive]

    def look(self, now: float) -> None:
        """Ask Ray, unless it was asked a moment ago."""
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._machines = {machine.id: machine for machine in cluster.machines()}
            for node in list(self._silent):
                self.unreached(node)

    def unreached(self, node: str) -> None:
        """A worker cannot be reached: is its machine gone, though the head does not know yet?"""
        machine = self.machine(node)
        if machine is None or (machine.alive and cluster.answers(machine)):
            self._silent.discard(node)
            return
        self._silent.add(node)
        self._machines[node] = replace(machine, alive=False)

    def usable(self, avoid: Collection[str]) -> list[Machine]:
        """Those that are there but for some."""
        return [machine for machine in self.machines if machine.id not in avoid]

    def machine(self, node: str) -> Machine | None:
        """As it was when it was last looked at."""
        return self._machines.get(node)

    def node_in(self, error: str) -> str:
        """The machine that Ray names by its address in ``error``; empty unless there is one."""
        told = _ADDRESS.findall(error)
        nodes = [machine.id for machine in self.machines if machine.address[0] in told]
        return nodes[0] if len(nodes) == 1 else ""

    def name(self, node: str) -> str:
        """Of a machine, for people."""
        machine = self.machine(node)
        return machine.name if machine else node[:8] or "an unknown machine"

    def leaving(self, node: str) -> bool:
        """Whether it is gone, or will be soon."""
        machine = self.machine(node)
        return machine is not None and (machine.draining or not machine.alive)

    def started(self, node: str) -> None:
        """A worker came up there."""
        self._failures[node] = 0
        self._failures[""] = 0

    def failed(self, node: str, reason: str, *, for_good: bool) -> bool:
        """A worker did not come up there; whether to give the machine up, now or before."""
        before = self._failures[node]
        self._failures[node] += MOST_FALSE_STARTS if for_good else 1
        if self._failures[node] < MOST_FALSE_STARTS or before >= MOST_FALSE_STARTS:
            return before >= MOST_FALSE_STARTS
        self._note(f"no worker starts on {self.name(node)}, so none is tried there: {reason}")
        return True

    def words(self) -> str:
        """What there is, for people."""
        parts = [f"{m.name}: {m.cpus:g} CPU, {m.gpus:g} GPU" for m in self.machines[:4]]
        more = len(self.machines) - 4
        return "; ".join(parts) + (f" and {more} more" if more > 0 else "")
