"""A machine of the cluster goes away with its workers, and others come."""

import pytest
import tiny
from disturbed import assert_whole, events_of, is_flying, start, wait_until

from vaesearch.events import ArmFailed, PullFailed, WorkerJoined


@pytest.fixture(scope="module")
def machines():
    """A head and no nodes yet; nodes that a test leaves are gone before the next."""
    from chaos.machines import Machines

    with Machines() as machines:
        yield machines


@pytest.fixture
def search(machines, begin, folder, tmp_path):
    """A search on one node that has begun: its process and its run directory."""
    run_dir = tmp_path / "run"
    first = machines.add()
    words = begin(run_dir, "--address", machines.address, "--tracking-uri", "none")
    process = start(*words, cache=folder)
    yield process, run_dir, first
    process.kill()
    process.communicate()
    for name in machines.names:
        machines.cut_power(name)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")  # Ray's own, of sockets that it does not close
@pytest.mark.parametrize("how", ["kill", "cut_power", "stop"])
def test_the_only_node_goes_and_another_comes(how, machines, search, undisturbed):
    process, run_dir, first = search
    assert wait_until(lambda: is_flying(run_dir), process)
    getattr(machines, how)(first)
    machines.add()
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)
    events = events_of(run_dir)
    assert sum(isinstance(event, PullFailed) for event in events) <= 1
    joined = [event for event in events if isinstance(event, WorkerJoined)]
    assert len({event.node for event in joined}) == 2


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore")
def test_no_arm_is_blamed_for_machines_that_go_away(machines, search, undisturbed):
    """Four machines in turn, each lost with a pull: an arm that kills three workers is out."""
    process, run_dir, node = search
    for _ in range(4):
        assert wait_until(lambda: is_flying(run_dir), process)
        before = sum(isinstance(event, PullFailed) for event in events_of(run_dir))
        machines.cut_power(node)
        node = machines.add()
        assert wait_until(lambda: _has_moved(run_dir, before), process)  # noqa: B023
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert not any(isinstance(event, ArmFailed) for event in events_of(run_dir))
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)


def _has_moved(run_dir, failures):
    """Whether the loss is in the ledger and its pull under way again."""
    events = events_of(run_dir)
    lost = sum(isinstance(event, PullFailed) for event in events)
    return lost > failures and not isinstance(events[-1], PullFailed)
