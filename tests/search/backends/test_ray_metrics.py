"""What a scrape of the head's metrics port shows of a search."""

import time
import urllib.request

import pytest
import ray
from clustered import cluster

from vaesearch.bandits.core import Budget
from vaesearch.events import (
    ArmAdded,
    DecisionMade,
    PullFailed,
    PullFinished,
    SearchStarted,
    WorkerJoined,
    WorkerLost,
)
from vaesearch.search.backends.ray.metrics import Metrics
from vaesearch.search.state import advance, fold

REPORTS = [
    {"epoch": i + 1, "reward": r, "seconds": 1.0, "metrics": {}}
    for i, r in enumerate((-3.0, -2.5))
]
EVENTS = [
    SearchStarted("abc", "0", {}, {}, None),
    ArmAdded("mlp", {"decoder": "mlp"}, 10),
    WorkerJoined("worker-1", "vm", "cpu"),
    DecisionMade("mlp", 2, "", []),
    PullFailed(0, "mlp", "died"),
    WorkerLost("worker-1", "died"),
    WorkerJoined("worker-1", "vm", "cpu"),
    PullFinished(0, "mlp", REPORTS, {}, "worker-1"),
]


def observe(metrics):
    state = fold([], Budget(epochs=5))
    for event in EVENTS:
        state = advance(state, event)
        metrics(event, state)


def test_a_figure_that_ray_refuses_is_said_once_and_ends_nothing(monkeypatch):
    def refuse(*arguments, **options):
        raise RuntimeError("no agent")

    monkeypatch.setattr("vaesearch.search.backends.ray.metrics.Gauge", refuse)
    notes = []
    observe(Metrics("negative bits/dim", lambda: 1, notes.append))
    assert notes == ["no more metrics through Ray: RuntimeError: no agent"]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_scrape_of_the_head(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with cluster(metrics_export_port=0) as head:
        from vaesearch.search.backends.ray.connecting import connect

        assert connect(head.address, None) is False
        observe(Metrics("negative bits/dim", lambda: 3, pytest.fail))
        node = next(n for n in ray.nodes() if n["Alive"])
        url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
        wanted = {
            "ray_vaesearch_epochs_total{": 2.0,
            "ray_vaesearch_pulls_finished_total{": 1.0,
            "ray_vaesearch_pulls_failed_total{": 1.0,
            "ray_vaesearch_workers_lost_total{": 1.0,
            "ray_vaesearch_best_reward{": -2.5,
            "ray_vaesearch_workers_up{": 1.0,
            "ray_vaesearch_workers_wanted{": 3.0,
            "ray_vaesearch_pulls_in_flight{": 0.0,
            "ray_vaesearch_epochs_left{": 3.0,
        }
        for _ in range(60):  # metrics are sent every few seconds
            text = urllib.request.urlopen(url, timeout=10).read().decode()
            lines = [line for line in text.splitlines() if "vaesearch" in line]
            found = {
                name: float(line.rpartition(" ")[2])
                for name in wanted
                for line in lines
                if line.startswith(name)
            }
            if found == wanted:
                break
            time.sleep(1.0)
        assert found == wanted, lines
        best = next(line for line in lines if line.startswith("ray_vaesearch_best_reward{"))
        assert 'arm="mlp"' in best
        assert 'search="abc"' in best
        assert "best validation reward, negative bits/dim" in text
