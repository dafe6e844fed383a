"""When a worker passes for hung, on a clock that is told."""

import pytest

from vaesearch.search.backends.ray.watching import Patience, Pulse, storage_seconds
from vaesearch.storage import folder_of


def test_patience_follows_the_slowest_epoch_and_has_a_floor():
    patience = Patience()
    assert patience.limit == 300
    for seconds in (1.0, 40.0, 3.0):
        patience.saw(seconds)
    assert patience.limit == 800
    assert Patience(7.0, slowest=40.0).limit == 7
    assert Patience(7.0).of_start().limit == 180
    assert Patience(8.0).between_beats == 2


def test_waiting_for_a_storage_far_away_is_no_hanging(tmp_path):
    assert storage_seconds(folder_of(tmp_path)) == 0
    least = storage_seconds(folder_of("memory://runs/a", patience=200.0))
    assert least == 460
    for given in (None, 7.0):
        patience = Patience(given, least=least)
        assert patience.limit == patience.of_start().limit == 460


def test_a_worker_that_moves_is_left_alone_for_ever():
    patience, pulse = Patience(10.0), Pulse.at(0.0)
    for second in range(1, 100):
        pulse.heard(second, float(second))
        assert pulse.complaint(patience, second + 9.0, busy=True) is None


@pytest.mark.parametrize("answers", [True, False])
def test_a_busy_worker_has_to_move_whether_it_answers_or_not(answers):
    patience, pulse = Patience(10.0), Pulse.at(0.0)
    pulse.heard(1, 1.0)
    pulse.given_a_job(5.0)
    if answers:
        pulse.heard(1, 14.0)
    assert pulse.complaint(patience, 15.0, busy=True) is None
    assert "no step for 10 s (--hang-seconds)" in pulse.complaint(patience, 15.1, busy=True)


def test_an_idle_worker_has_to_answer_only():
    patience, pulse = Patience(10.0), Pulse.at(0.0)
    pulse.heard(1, 1.0)
    pulse.heard(1, 50.0)
    assert pulse.complaint(patience, 60.0, busy=False) is None
    assert "did not answer" in pulse.complaint(patience, 60.1, busy=False)


def test_time_in_which_nobody_listened_does_not_count():
    patience, pulse = Patience(10.0), Pulse.at(0.0)
    pulse.shifted(1000.0)
    assert pulse.complaint(patience, 1010.0, busy=True) is None
    assert pulse.complaint(patience, 1010.1, busy=True) is not None
