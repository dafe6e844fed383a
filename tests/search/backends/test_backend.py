"""What the backend makes of what Ray says, on stand-ins for workers and machines."""

from types import SimpleNamespace

import pytest

from vaesearch.search.backends.base import Broken, Lost
from vaesearch.search.backends.ray.backend import RayBackend
from vaesearch.search.backends.ray.fleet import Fleet
from vaesearch.search.backends.ray.losing import Doubts
from vaesearch.search.backends.ray.planning import Growth, Machine, Plan, Share

MACHINE = Machine(4, 0, "a", "vm/a", address=("10.0.0.1", 1))


class Pool:
    """Forgets whom it is told to remove."""

    def __init__(self, *members):
        self.members = list(members)
        self.avoid = set()
        self.resting = 0.0

    def __iter__(self):
        return iter(list(self.members))

    @property
    def up(self):
        return [member for member in self if member.joined]

    def remove(self, member):
        self.members.remove(member)


def worker(node="a", *, joined=True, job="job"):
    return SimpleNamespace(
        name="worker-1", node=node, joined=joined, done=lambda: job, where=node or None
    )


def backend(monkeypatch, *members, machines=(MACHINE,), fixed=False, growing=False):
    cluster = "vaesearch.search.backends.ray.fleet.cluster"
    monkeypatch.setattr(f"{cluster}.machines", lambda: list(machines))
    monkeypatch.setattr(f"{cluster}.growth", Growth)
    made = object.__new__(RayBackend)
    made._news, made._doubts, made._fleet = [], Doubts(), Fleet()
    made._pool, made._had, made._why_not = Pool(*members), False, ""
    made._plan = Plan(Share(), 4, fixed=fixed, growth=Growth(growing))
    return made


@pytest.mark.parametrize(
    ("error", "outcome", "left"),
    [
        (RuntimeError("CUDA error: device-side assert triggered\nCompile with"), Lost, 0),
        (RuntimeError("shapes differ"), Broken, 1),
    ],
)
def test_a_worker_whose_gpu_is_broken_for_good_is_replaced(monkeypatch, error, outcome, left):
    made = backend(monkeypatch, worker())
    made._raised(made.pool.members[0], error)
    [said] = made._news
    assert isinstance(said, outcome)
    assert (said.job, len(made.pool.members)) == ("job", left)
    assert str(error).splitlines()[0] in said.error
