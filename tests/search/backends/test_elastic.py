"""Nodes that join, go, are drained, or see another storage; GPUs that are shared."""

import time

import pytest
import ray
from clustered import (
    NODE,
    PATH,
    Blind,
    Faulty,
    cluster,
    finished,
    joined,
    lost,
    pull,
    ray_backend,
    until,
)

from vaesearch.errors import InputError
from vaesearch.search.backends.base import Left

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", PATH["PYTHONPATH"])


@pytest.fixture(scope="module")
def grown():
    """A head with one core; each test adds its nodes and removes them."""
    with cluster() as made:
        yield made
        assert not ray.is_initialized()


@pytest.fixture(autouse=True)
def disconnected():
    yield
    ray.shutdown()


def member_on(backend, node):
    return next(m for m in backend.pool if m.joined and m.node == node.node_id)


def drain(gcs_address, node):
    from ray._raylet import GcsClient

    deadline = int(time.time() * 1000) + 60_000
    preemption = 2
    GcsClient(address=gcs_address).drain_node(node.node_id, preemption, "spot", deadline)


def test_nodes_come_and_go(grown, tmp_path):
    with ray_backend(tmp_path, Faulty, address=grown.address, workers=3) as backend:
        assert len(backend.pool.members) == 3  # two of them wait: the demand an autoscaler sees
        assert backend.workers == 1
        node = grown.add_node(num_cpus=1, **NODE)
        until(backend, joined)
        assert until(backend, joined) if len(backend.pool.up) < 2 else True
        assert backend.workers == 2
        backend.submit(pull("waits"), member_on(backend, node).name)
        backend.wait(2.0)
        grown.remove_node(node, allow_graceful=False)
        gone = until(backend, lost)[-1]
        assert gone.blameless
        assert "went away" in gone.error
        assert backend.workers == 1
        while not backend.idle():
            backend.wait(1.0)
        backend.submit(gone.job, backend.idle()[0])
        assert finished(until(backend, finished)[-1])

        node = grown.add_node(num_cpus=1, **NODE)
        until(backend, joined)
        drain(grown.gcs_address, node)
        left = until(backend, lambda o: isinstance(o, Left))[-1]
        assert "about to go away" in left.reason
        assert backend.workers == 1
        grown.remove_node(node)
    assert not list((tmp_path / "checkpoints" / ".probe").glob("*"))


def test_workers_share_gpus_and_leave_other_nodes_alone(grown, tmp_path):
    node = grown.add_node(num_cpus=4, num_gpus=1, **NODE)
    try:
        with ray_backend(tmp_path, address=grown.address, gpus_per_worker=0.5) as backend:
            assert backend.workers == 2
            while len(backend.pool.up) < 2:
                backend.wait(1.0)
            assert {m.node for m in backend.pool.up} == {node.node_id}
        with pytest.raises(InputError, match="has more than 1"):
            ray_backend(tmp_path, address=grown.address, gpus_per_worker=2.0).__enter__()
    finally:
        ray.shutdown()
        grown.remove_node(node)


def test_a_node_that_sees_another_storage_is_refused_once(grown, tmp_path):
    blind = grown.add_node(num_cpus=1, **NODE | {"env_vars": PATH | {"BLIND": "1"}})
    notes = []
    try:
        with ray_backend(
            tmp_path, Blind, address=grown.address, workers=2, note=notes.append
        ) as backend:
            while not notes:
                backend.want(4)
                backend.wait(1.0)
            for _ in range(3):
                backend.wait(1.0)
            assert backend.pool.avoid == {blind.node_id}
            assert backend.workers == 1
            [note] = notes
            assert blind.node_id[:8] in note
            assert "sees another" in note
    finally:
        ray.shutdown()
        grown.remove_node(blind)


def test_where_no_node_sees_the_storage_nothing_begins(tmp_path):
    with (
        cluster(env_vars=PATH | {"BLIND": "1"}) as blind,
        pytest.raises(InputError, match="sees another"),
        ray_backend(tmp_path, Blind, address=blind.address, workers=2),
    ):
        pass
    assert not list((tmp_path / "checkpoints" / ".probe").glob("*"))
