"""What Ray says of the machines of a cluster; none of these calls waits for a machine."""

import os
import socket
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from vaesearch.search.backends.ray.planning import Growth, Machine

# `ray up` leaves its description on the head; operators on Kubernetes name theirs in the head's
# environment. Ray itself tells a driver of its autoscaler only where one reports to the GCS.
_BOOTSTRAP = "ray_bootstrap_config.yaml"
_OPERATOR = "RAY_CLUSTER_NAME"
ANSWER_SECONDS = 0.5


def machines() -> list[Machine]:
    """All nodes that are or were part of the cluster."""
    leaving = _draining()
    return [_machine(node, node["NodeID"] in leaving) for node in ray.nodes()]


def growth() -> Growth:
    """What the cluster's autoscaler could add, if there is one."""
    config = _private("get_cluster_config")
    kinds = tuple(
        Machine(group.resources.get("CPU", 0), group.resources.get("GPU", 0), name=group.name)
        for group in (config.node_group_configs if config else ())
        if group.max_count
    )
    told = (Path.home() / _BOOTSTRAP).exists() or _OPERATOR in os.environ
    return Growth(possible=bool(kinds) or told, kinds=kinds)


def answers(machine: Machine) -> bool:
    """Whether Ray's daemon takes calls there: the head may take half a minute to find out.

    From outside of the cluster, behind ray://, that cannot be asked.
    """
    if ray.util.client.ray.is_connected():
        return True
    try:
        socket.create_connection(machine.address, ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def _machine(node: dict[str, Any], draining: bool) -> Machine:
    resources = node.get("Resources", {})
    name = f"{node.get('NodeManagerHostname', '')}/{node['NodeID'][:8]}"
    return Machine(
        resources.get("CPU", 0.0),
        resources.get("GPU", 0.0),
        node["NodeID"],
        name,
        node["Alive"],
        draining,
        (node.get("NodeManagerAddress", ""), node.get("NodeManagerPort", 0)),
    )


def _draining() -> dict[str, int]:
    return _private("get_draining_nodes") or {}


def _private(name: str) -> Any:
    """What Ray has no public call for; None for a driver behind ray://, which cannot ask."""
    if ray.util.client.ray.is_connected():
        return None
    try:
        return getattr(ray._private.state.state, name)()
    except (AttributeError, RayError, RuntimeError):
        return None
