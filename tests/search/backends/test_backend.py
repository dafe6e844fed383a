"""What the backend makes of what Ray says, on stand-ins for workers and machines."""

from types import SimpleNamespace

import pytest
from ray.exceptions import RayError

from vaesearch.errors import VaesearchError
from vaesearch.search.backends.base import Broken, Lost
from vaesearch.search.backends.ray.backend import RayBackend
from vaesearch.search.backends.ray.fleet import Fleet
from vaesearch.search.backends.ray.losing import DOUBT_SECONDS, Doubts
from vaesearch.search.backends.ray.member import Member
from vaesearch.search.backends.ray.planning import Growth, Machine, Plan, Share
from vaesearch.search.backends.ray.pool import Pool as RealPool
from vaesearch.search.backends.ray.starting import Hope
from vaesearch.search.backends.ray.watching import START_SECONDS

MACHINE = Machine(4, 0, "a", "vm/a", address=("10.0.0.1", 1))


class Pool:
    """Forgets whom it is told to remove."""

    def __init__(self, *members):
        self.members = list(members)
        self.avoid = set()

    def __iter__(self):
        return iter(list(self.members))

    @property
    def up(self):
        return [member for member in self if member.joined]

    def remove(self, member):
        self.members = [other for other in self.members if other is not member]


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
    made._pool = Pool(*members)
    made._plan = Plan(Share(), 4, fixed=fixed, growth=Growth(growing))
    made._hope = Hope(made._plan)
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


def test_where_no_machine_is_left_the_start_ends(monkeypatch):
    made = backend(monkeypatch)
    made.pool.avoid.add("a")
    with pytest.raises(VaesearchError, match="cannot start"):
        made._hope.check(made.pool, made._fleet)


@pytest.mark.parametrize(
    ("had", "growing", "fixed", "waits"),
    [
        (True, False, False, True),
        (False, True, False, True),
        (True, False, True, False),  # on this machine alone nothing can change
    ],
)
def test_a_search_that_can_wait_for_machines_does(monkeypatch, had, growing, fixed, waits):
    made = backend(monkeypatch, growing=growing, fixed=fixed)
    made.pool.avoid.add("a")
    made._hope.had = had
    if waits:
        made._hope.check(made.pool, made._fleet)
    else:
        with pytest.raises(VaesearchError, match="cannot start"):
            made._hope.check(made.pool, made._fleet)


def fail_to_start(made, ip, times):
    for _ in range(times):
        made.pool.members.append(worker("", joined=False))
        made._gone(made.pool.members[-1], RayError(f"Worker.__init__() (pid=7, ip={ip})"), 0.0)


def test_a_machine_on_which_no_actor_can_be_made_is_given_up(monkeypatch):
    made = backend(monkeypatch, worker())
    fail_to_start(made, "10.0.0.1", 3)
    assert made.pool.avoid == {"a"}
    assert not made._hope.resting(made.now())


def test_where_the_machine_is_unknown_the_next_try_waits(monkeypatch):
    made = backend(monkeypatch, worker())
    fail_to_start(made, "10.0.0.9", 1)
    assert made._hope.resting(made.now())
    assert not made.pool.avoid


def test_a_worker_that_cannot_be_killed_keeps_nothing_else_open(monkeypatch):
    def unstoppable():
        raise ConnectionError("the head is gone")

    stopped, cleared, shut = [], [], []
    pool = RealPool(Plan(Share(), 2), kit=None)
    for name, stop in (("a", lambda: stopped.append("a")), ("b", unstoppable)):
        pool.members[name] = SimpleNamespace(name=name, stop=stop)
    made = backend(monkeypatch)
    made._pool, made._own, made._token, made._store = pool, True, "t", SimpleNamespace(folder="f")
    module = "vaesearch.search.backends.ray.backend"
    monkeypatch.setattr(f"{module}.clear", lambda folder, token: cleared.append(token))
    monkeypatch.setattr(f"{module}.ray.is_initialized", lambda: not shut)
    monkeypatch.setattr(f"{module}.ray.shutdown", lambda: shut.append(True))
    with pytest.raises(VaesearchError, match="the head is gone"):
        made.close()
    made.close()
    assert (stopped, cleared, shut) == (["a"], ["t"], [True])


def lose(made, node="a"):
    member = worker(node)
    made.pool.members.append(member)
    made._gone(member, RayError("The actor died unexpectedly"), 0.0)
    return member


def test_a_name_in_doubt_is_not_given_again(monkeypatch):
    made = backend(monkeypatch)
    lose(made)
    pool, launched = RealPool(Plan(Share(), 2), kit=None), []
    monkeypatch.setattr(pool, "_launch", lambda name, now: launched.append(name))
    pool.want(1)
    pool.fill(0.0, made._doubts.names)
    pool.fill(0.0)
    assert launched == ["worker-2", "worker-1"]


@pytest.mark.parametrize("answers", [True, False])
def test_a_machine_in_doubt_is_asked_before_its_worker_is_blamed(monkeypatch, answers):
    made = backend(monkeypatch)
    monkeypatch.setattr(
        "vaesearch.search.backends.ray.fleet.cluster.answers", lambda machine: answers
    )
    lose(made)
    fleet = made._fleet
    assert not made._doubts.settled(DOUBT_SECONDS - 0.1, fleet.machine, fleet.unreached)
    [lost] = made._doubts.settled(DOUBT_SECONDS, fleet.machine, fleet.unreached)
    assert lost.blameless == (not answers)


def test_a_worker_that_is_not_placed_though_there_is_room_is_asked_for_again():
    pool, stopped = RealPool(Plan(Share(), 2), kit=None), []

    def ask(now):
        member = Member("w", None, None, None, now)
        member.stop = lambda: stopped.append(now)
        pool.members["w"] = member

    ask(0.0)
    pool.replace_stuck(START_SECONDS + 1, room=0)
    pool.replace_stuck(START_SECONDS - 1, room=1)
    assert not stopped
    pool.replace_stuck(START_SECONDS + 1, room=1)
    ask(1000.0)
    pool.replace_stuck(1000.0 + START_SECONDS + 1, room=1)  # more patience than before
    assert stopped == [0.0]


@pytest.mark.parametrize("error", [ConnectionError("gone"), Exception("gone"), RayError("gone")])
def test_a_cluster_that_is_gone_is_said_with_how_to_go_on(monkeypatch, error):
    made = backend(monkeypatch)
    monkeypatch.setattr(made, "_look", lambda: (_ for _ in ()).throw(error))
    with pytest.raises(VaesearchError, match=r"any more \(gone\)\.\n.*vaesearch resume RUN_DIR"):
        made.wait(0.0)


def test_what_is_no_fault_of_the_cluster_is_not_said_to_be(monkeypatch):
    made = backend(monkeypatch)
    monkeypatch.setattr(made, "_look", lambda: {}["a"])
    with pytest.raises(KeyError):
        made.wait(0.0)
