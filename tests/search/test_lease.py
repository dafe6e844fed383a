import json
import threading

import pytest

from vaesearch.errors import RunDirError, StorageError
from vaesearch.search import lease as leases
from vaesearch.search.lease import Lease
from vaesearch.storage import folder_of


class Clock:
    """Time that passes only by waiting; something may happen meanwhile."""

    def __init__(self, meanwhile=lambda: None):
        self.now, self.meanwhile = 0.0, meanwhile

    def pause(self, seconds):
        self.now += seconds
        self.meanwhile()

    def __call__(self):
        return self.now


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path)


@pytest.fixture
def take(folder):
    """Makes a lease; all are let go of at the end."""
    made = []

    def make(token, meanwhile=lambda: None):
        clock = Clock(meanwhile)
        made.append(Lease(folder, token, pause=clock.pause, clock=clock))
        return made[-1], clock

    yield make
    for lease in made:
        lease.release()


def test_a_holder_that_lives_is_left_alone(take):
    first, _ = take("first")
    first.acquire()
    second, clock = take("second", meanwhile=first.beat)
    with pytest.raises(RunDirError, match=r"is in use by process \d+ on "):
        second.acquire()
    assert clock.now < leases.DEAD_SECONDS
    assert not first.lost


def test_a_holder_that_shows_no_life_is_replaced_and_notices(take):
    first, _ = take("first")
    first.acquire()
    second, clock = take("second")
    second.acquire()
    assert clock.now > leases.DEAD_SECONDS
    first.beat()
    assert first.lost


def test_a_holder_that_is_known_to_have_ended_is_replaced_at_once(take):
    first, _ = take("first")
    first.acquire()
    second, clock = take("second")
    second.acquire(dead="first")
    assert clock.now == 0


def test_what_was_released_is_free_at_once(take):
    first, _ = take("first")
    first.acquire()
    first.release()
    second, clock = take("second")
    second.acquire()
    assert clock.now == 0


def test_one_released_while_another_looks_is_free(take):
    first, _ = take("first")
    first.acquire()
    second, clock = take("second", meanwhile=first.release)
    second.acquire()
    assert clock.now == leases.LOOK_SECONDS


def test_a_holder_whose_clock_is_late_is_not_taken_for_dead(take, folder):
    first, _ = take("first")
    first.acquire()
    card = json.loads(folder.read("lease/000001.json"))
    folder.write("lease/000001.json", json.dumps(card | {"time": card["time"] - 86400}).encode())
    second, clock = take("second", meanwhile=first.beat)
    with pytest.raises(RunDirError, match="in use by process"):
        second.acquire()
    assert clock.now > 0


@pytest.mark.parametrize("fault", [OSError("away"), ValueError("no JSON"), RuntimeError("closed")])
def test_a_beat_that_fails_is_not_the_last(take, folder, monkeypatch, fault):
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.001)
    first, _ = take("first")
    again, failed, beat = threading.Event(), [], first.beat

    def fail_once():
        if not failed:
            failed.append(fault)
            raise fault
        beat()
        again.set()

    monkeypatch.setattr(first, "beat", fail_once)
    first.acquire()
    assert again.wait(30)


def test_other_files_among_the_leases_are_no_leases(take, folder):
    for name in ("readme.txt", "x.json", "000001.json.bak"):
        folder.write(f"lease/{name}", b"")
    first, _ = take("first")
    first.acquire()
    assert "lease/000001.json" in folder.names()


def test_a_storage_that_makes_a_file_twice_is_refused(folder):
    class Careless:
        address, read, write = folder.address, folder.read, folder.write
        names, remove, create = folder.names, folder.remove, folder.write

    with pytest.raises(StorageError, match="ignores conditional requests"):
        Lease(Careless(), "first").acquire()
    assert folder.names() == []


def test_of_two_that_come_at_once_one_gets_it(take, folder):
    second, _ = take("second")
    create = folder.create

    class Slow:
        address, read, write = folder.address, folder.read, folder.write
        names, child = folder.names, folder.child

        def create(self, name, content):
            second.acquire()
            create(name, content)

    first = Lease(Slow(), "first")
    with pytest.raises(RunDirError, match="taken by another process just now"):
        first.acquire()
