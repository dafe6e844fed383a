"""Asks every node of a Ray cluster; a process of its own, for connecting may hang or change it.

::

    python -m vaesearch.doctor.asking_nodes ADDRESS WHERE

It prints a JSON object: what this machine says of itself, and what each node says; or why the
cluster refused.
"""

import json
import sys
import time
from typing import Any

import grpc
import ray
from ray import cloudpickle
from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from vaesearch.doctor import node
from vaesearch.errors import InputError
from vaesearch.search.backends.ray.connecting import connect
from vaesearch.storage import folder_of, probe

NODE_SECONDS = 60.0  # a worker process has to start there first
ROUNDS = 3  # of which the quickest tells the time best


def report(address: str, where: str) -> dict[str, Any]:
    """See the module."""
    cloudpickle.register_pickle_by_value(node)
    try:
        connect(address, None)
    except InputError as error:
        return {"refused": str(error)}
    folder = folder_of(where, patience=node.PATIENCE) if where else None
    token = probe.leave(folder) if folder else ""
    try:
        nodes = [n for n in ray.nodes() if n["Alive"]]
        asked = [_Asked(n, where, token) for n in nodes]
        told = [a.told() for a in asked]
        answered = list(probe.answers(folder, token)) if folder else []
    finally:
        if folder:
            probe.clear(folder, token)
    return {
        "here": node.facts(), "nodes": told, "answers": answered,
        "auth": authentication(gcs) if (gcs := _gcs()) else "",
    }  # fmt: skip


def _gcs() -> str:
    """Where the head listens; empty where Ray's client stands between."""
    try:
        return str(ray.get_runtime_context().gcs_address)
    except Exception:  # Ray's, of several kinds
        return ""


def authentication(where: str) -> str:
    """How the head at ``where`` answers who shows no token.

    Returns:
        ``disabled`` if it tells whatever it is asked, ``token`` if it wants one, empty if it
        cannot be asked so.
    """
    request = gcs_service_pb2.InternalKVGetRequest(namespace=b"cluster", key=b"CLUSTER_METADATA")
    try:
        # A channel of Ray's own would show our token.
        options = (("grpc.enable_http_proxy", 0),)
        with grpc.insecure_channel(where, options=options) as channel:
            stub = gcs_service_pb2_grpc.InternalKVGcsServiceStub(channel)
            stub.InternalKVGet(request, timeout=node.PATIENCE)
    except grpc.RpcError as error:
        return "token" if error.code() is grpc.StatusCode.UNAUTHENTICATED else ""
    return "disabled"


class _Asked:
    """A node that was sent its questions; all nodes answer side by side."""

    def __init__(self, described: dict[str, Any], where: str, token: str) -> None:
        self._name = described["NodeManagerAddress"]
        self._resources = described["Resources"]
        self._pinned: dict[str, Any] = {
            "num_cpus": 0, "max_retries": 0,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(described["NodeID"], soft=False),
        }  # fmt: skip
        self._facts = self._send(node.facts)
        self._seen = self._send(node.sees, where, token) if token else None

    def told(self) -> dict[str, Any]:
        """Its answers, or why there are none."""
        told: dict[str, Any] = {"name": self._name, "gpu": self._resources.get("GPU", 0)}
        try:
            told |= ray.get(self._facts, timeout=NODE_SECONDS)
            if self._seen is not None:
                told["storage"] = ray.get(self._seen, timeout=NODE_SECONDS)
            told["skew"], told["round_trip"] = self._clock()
        except Exception as error:  # Ray's, of a node that went away or cannot run a task
            lines = str(error).strip().splitlines()
            told["error"] = lines[-1] if lines else type(error).__name__
        return told

    def _clock(self) -> tuple[float, float]:
        """Seconds that its clock is ahead of ours, and how long the question took."""
        rounds = []
        for _ in range(ROUNDS):
            sent = time.time()
            there = ray.get(self._send(node.clock), timeout=NODE_SECONDS)
            back = time.time()
            rounds.append((back - sent, there - (sent + back) / 2))
        taken, skew = min(rounds)
        return skew, taken

    def _send(self, function: Any, *arguments: Any) -> Any:
        return ray.remote(function).options(**self._pinned).remote(*arguments)


if __name__ == "__main__":
    print(json.dumps(report(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")))  # noqa: T201
