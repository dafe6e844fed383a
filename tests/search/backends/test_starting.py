"""Waiting for the first worker, on a clock that is told."""

from types import SimpleNamespace

import pytest

from vaesearch.errors import InputError
from vaesearch.search.backends.base import Joined, Left
from vaesearch.search.backends.ray.planning import Growth, Plan, Share
from vaesearch.search.backends.ray.starting import GROW_SECONDS, await_first
from vaesearch.search.backends.ray.watching import START_SECONDS


class Members(list):
    """A pool."""

    @property
    def up(self):
        return [member for member in self if member.joined]


class Starting:
    """Time passes with every look; a worker is placed and comes up when it is told to."""

    def __init__(self, news=(), *, placed=None, up=None, growth=False):
        self.member = SimpleNamespace(where=None, joined=False)
        self.pool = Members([self.member])
        self.plan = Plan(Share(), 1, growth=Growth(growth))
        self.fleet = SimpleNamespace(words=lambda: "vm: 4 CPU")
        self.time = 0.0
        self._news, self._placed, self._up = list(news), placed, up

    def wait(self, seconds):
        self.time += 10 * seconds
        if self._placed is not None and self.time >= self._placed:
            self.member.where = "vm"
        if self._up is not None and self.time >= self._up:
            self.member.joined = True
        return [self._news.pop(0)] if self._news else []

    def first(self):
        return await_first(self.wait, lambda: self.time, self.pool, self.fleet, self.plan)


def test_news_are_handed_on_once():
    news = [Left("worker-2", "gone"), Joined("worker-1", "vm", "cpu")]
    assert Starting(news, placed=0.0, up=100.0).first() == news


def test_nobody_placed_in_time_ends_the_start_as_wrong_input():
    starting = Starting()
    with pytest.raises(InputError, match=f"within {START_SECONDS:.0f} s: the cluster has vm"):
        starting.first()
    grown = Starting(growth=True)
    with pytest.raises(InputError, match=f"within {GROW_SECONDS:.0f} s"):
        grown.first()


def test_a_worker_that_prepares_itself_is_waited_for():
    starting = Starting(placed=START_SECONDS / 2, up=3 * START_SECONDS)
    assert starting.first() == []
    assert starting.time >= 3 * START_SECONDS
