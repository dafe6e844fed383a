from dataclasses import replace

import pytest

from vaesearch.records import Estimate
from vaesearch.report.measurements import lines, remarks, write_estimate
from vaesearch.search.evaluations import Key, Record


def record(spec="elbo", notes=(), cached=False, seconds=1.5, **figures):
    key = Key(spec, {}, "test", 60, 0, {}, "", "", "")
    return Record(spec, key, figures, {}, notes, seconds, cached=cached)


@pytest.mark.parametrize(
    ("value", "error", "written"),
    [
        (-104.31764, 0.4523, "-104.32 ± 0.45"),
        (-104.31764, 4.523, "-104.3 ± 4.5"),
        (-104.31764, 45.23, "-104 ± 45"),
        (-12345.6, 452.3, "-12346 ± 450"),
        (0.0245123, 0.00012345, "0.02451 ± 0.00012"),
        (1.23456789, 1e-9, "1.2346 ± 1.0e-09"),
        (3.0, None, "3"),
        (3.0, 0.0, "3"),
        (0.0, None, "0"),
        (-0.5, None, "-0.50000"),
        (5.5552, None, "5.5552"),
        (123456.78, None, "123457"),
        (1.5e9, None, "1.5000e+09"),
        (1.5e-9, None, "1.5000e-09"),
        (float("nan"), 1.0, "-"),
        (float("inf"), None, "-"),
        (2.5, float("nan"), "2.5000"),
    ],
)
def test_as_many_digits_as_the_error_leaves(value, error, written):
    assert write_estimate(Estimate(value, error)) == written


def test_a_line_for_each_figure_and_its_metric_once():
    one = record(elbo=Estimate(-2.0, 0.1, 60, "nats", "higher"), kl=Estimate(1.0, 0.1, 60, "nats"))
    first, second = lines({"a": [one]})
    assert (first.metric, first.figure, first.unit) == ("elbo", "elbo", "nats ↑")
    assert (second.metric, second.figure, second.unit) == ("", "kl", "nats")
    assert (first.seconds, second.seconds) == ("1.5", "")
    assert (first.count, first.best) == ("60", frozenset())


def test_the_best_of_a_figure_is_known_by_its_direction():
    def arms(better, *values):
        figures = [Estimate(v, None, 60, "x", better) for v in values]
        return {str(place): [record(a=figure)] for place, figure in enumerate(figures)}

    assert lines(arms("higher", 1.0, 3.0, 2.0))[0].best == {1}
    assert lines(arms("lower", 1.0, 3.0, 1.0))[0].best == {0, 2}
    assert lines(arms("lower", float("nan"), 3.0, 1.0))[0].best == {2}
    assert lines(arms("", 1.0, 3.0))[0].best == frozenset()
    assert lines(arms("lower", 1.0))[0].best == frozenset()


def test_an_arm_without_a_figure_has_a_dash():
    one, other = record("a", x=Estimate(1.0, None, 5)), record("b", y=Estimate(2.0))
    found = lines({"first": [one, other], "second": [replace(one, figures={"x": Estimate(1.5)})]})
    assert [line.cells for line in found] == [("1", "1.5000"), ("2", "-")]
    assert [line.count for line in found] == ["differs", "-"]


def test_time_is_what_was_spent_now():
    fresh, known = record(x=Estimate(1.0)), record(x=Estimate(1.0), cached=True)
    assert lines({"a": [fresh], "b": [known]})[0].seconds == "1.5"
    assert lines({"a": [fresh], "b": [fresh]})[0].seconds == "3.0"
    assert lines({"a": [known], "b": [known]})[0].seconds == "cached"


def test_notes_are_said_once_and_name_the_arms_they_are_about():
    both, one = record(notes=("Both.",)), record(notes=("Both.", "One."))
    assert remarks({"a": [both], "b": [one]}) == ["elbo: Both.", "elbo: One. [b]"]
    assert remarks({"b": [one]}) == ["elbo: Both.", "elbo: One."]
