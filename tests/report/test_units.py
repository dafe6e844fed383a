import pytest

from vaesearch.report.units import SCALES, write_clock, write_seconds


@pytest.mark.parametrize(
    ("reward", "text"),
    [
        (-2.91349, "2.913"),
        (None, "-"),
        (float("nan"), "-"),
        (float("-inf"), "-"),
        (-3e7, "3.00e+07"),
    ],
)
def test_bits_per_dim_are_written_with_the_sign_that_people_read(reward, text):
    assert SCALES["bpd"].write_reward(reward) == text


def test_each_scale_says_which_way_is_better():
    assert SCALES["bpd"].direction == "lower is better"
    assert SCALES["elbo"].direction == "higher is better"


def test_a_clock_never_runs_backwards():
    assert write_clock(-3) == "0:00"


def test_seconds_that_are_unknown():
    assert write_seconds(None) == "-"
