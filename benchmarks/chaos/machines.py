"""A Ray cluster of several nodes on this machine, each with an address of its own in 127/8."""

import os
import shutil
import signal
import tempfile
import time
from itertools import count

from chaos.processes import actors, send

# A node that is gone is missed after about two seconds instead of half a minute.
HEALTH = {
    "health_check_initial_delay_ms": "1000",
    "health_check_period_ms": "500",
    "health_check_timeout_ms": "1000",
    "health_check_failure_threshold": "3",
}
HEAD = "127.0.0.2"  # not 127.0.0.1, which Ray takes for the machine's first other address
SMALL = 120 * 2**20  # bytes of the object store


class Machines:
    """A head without CPUs for workers, and nodes of one CPU each; a context manager."""

    def __init__(self) -> None:
        os.environ.update({f"RAY_{name}": value for name, value in HEALTH.items()})
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster  # reads these settings when it is imported

        self._folder = tempfile.mkdtemp(prefix="vs-", dir="/tmp")
        self._hosts = count(3)
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0, "include_dashboard": False, "node_ip_address": HEAD,
                "object_store_memory": SMALL, "temp_dir": self._folder,
            },
        )  # fmt: skip
        self._nodes: dict[str, object] = {}

    def __enter__(self) -> "Machines":
        return self

    def __exit__(self, *error: object) -> None:
        self._cluster.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def address(self) -> str:
        """Of the head, for ``--address``."""
        return self._cluster.address

    @property
    def names(self) -> list[str]:
        """Of the nodes that are up, the head left out."""
        return list(self._nodes)

    def add(self) -> str:
        """Start a node; returns its name."""
        number = next(self._hosts)
        host = f"127.0.{number // 250}.{number % 250}"
        self._nodes[host] = self._cluster.add_node(
            num_cpus=1, node_ip_address=host, object_store_memory=SMALL
        )
        return host

    def stop(self, name: str) -> list[int]:
        """End a node in order, as ``ray stop`` does; returns its actors' processes."""
        return self._remove(name, graceful=True)

    def kill(self, name: str) -> list[int]:
        """``kill -9`` of the raylet; its workers find out for themselves."""
        return self._remove(name, graceful=False)

    def cut_power(self, name: str) -> list[int]:
        """``kill -9`` of everything on the node."""
        workers = self.actors(name)
        for pid in workers:
            send(pid, signal.SIGKILL)
        self._remove(name, graceful=False)
        return workers

    def reclaim(self, name: str, notice: float) -> list[int]:
        """As a spot machine ends: an announcement, ``notice`` seconds, then everything is gone."""
        from ray._raylet import GcsClient
        from ray.core.generated.autoscaler_pb2 import DrainNodeReason

        client = GcsClient(address=self.address)
        deadline = int(1000 * (time.time() + notice))
        reason = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
        client.drain_node(self._nodes[name].node_id, reason, "reclaimed", deadline)
        time.sleep(notice)
        return self.cut_power(name)

    def actors(self, name: str) -> list[int]:
        """Processes on the node that hold an actor."""
        return actors(self._raylet(name))

    def _raylet(self, name: str) -> int:
        return self._nodes[name].all_processes["raylet"][0].process.pid

    def _remove(self, name: str, *, graceful: bool) -> list[int]:
        workers = self.actors(name)
        self._cluster.remove_node(self._nodes.pop(name), allow_graceful=graceful)
        return workers
