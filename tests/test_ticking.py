import threading

import pytest

from vaesearch.ticking import ticking

PATIENCE = 30.0  # seconds, of a busy machine


class Counter:
    def __init__(self, most):
        self.most, self.ticks, self.reached = most, 0, threading.Event()

    def __call__(self):
        self.ticks += 1
        if self.ticks == self.most:
            self.reached.set()


def tickers():
    return [thread for thread in threading.enumerate() if thread.name == "ticking"]


def test_ticks_go_on_beside_the_work_and_end_with_it():
    counter = Counter(3)
    with ticking(counter, seconds=0.001):
        assert counter.reached.wait(PATIENCE)
    assert not tickers()


def test_they_end_with_an_error_too():
    with pytest.raises(ValueError, match="no"), ticking(lambda: None, seconds=PATIENCE):
        raise ValueError("no")
    assert not tickers()


def test_work_that_never_ends_is_not_covered_for_ever():
    counter = Counter(99)
    with ticking(counter, seconds=0.001, most=4):
        [thread] = tickers()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert counter.ticks == 4
