"""What a candidate may cost: how it is written, and what is refused."""

import pytest

from vaesearch.errors import InputError
from vaesearch.events import ArmAdded
from vaesearch.records import TrialSettings
from vaesearch.search.tuning.constraints import (
    BrokenConstraintError,
    check,
    parse_constraints,
    why_all_refused,
)
from vaesearch.search.tuning.timing import seconds_per_epoch


@pytest.mark.parametrize(
    ("text", "name", "limit"),
    [
        ("parameters<=1e6", "parameters", 1e6),
        ("parameters <= 1.5M", "parameters", 1.5e6),
        ("flops<=100M", "flops", 1e8),
        ("memory<=2GB", "memory", 2e9),
        ("memory<=2GiB", "memory", 2 * 2**30),
        ("seconds<=500ms", "seconds", 0.5),
    ],
)
def test_constraint_is_read(text, name, limit):
    (found,) = parse_constraints([text])
    assert (found.name, found.limit) == (name, limit)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["parameters<1e6"], "write NAME<=NUMBER"),
        (["parameters>=1e6"], "write NAME<=NUMBER"),
        (["parameters"], "write NAME<=NUMBER"),
        (["layers<=3"], "there is no layers, but parameters"),
        (["memory<=2gb"], "the units of memory are B, KB"),
        (["seconds<=2GB"], "the units of seconds are s, ms, min"),
        (["parameters<=0"], "must be above 0"),
        (["parameters<=-5"], "must be above 0"),
        (["parameters<=1e999"], "must be above 0"),
        (["parameters<=1e5e5"], "is no number"),
        (["flops<=1", "flops<=2"], "flops is given twice"),
    ],
)
def test_what_is_no_constraint_is_refused(texts, said):
    with pytest.raises(InputError, match=said):
        parse_constraints(texts)


def line(**figures):
    settings = vars(TrialSettings(decoder="mlp"))
    return ArmAdded("a", settings, **{"parameters": 100, "flops": 50.0, "memory": 10} | figures)


def never(settings):
    raise AssertionError("nobody asked")


def test_what_costs_as_much_as_it_may_passes():
    check(parse_constraints(["parameters<=100", "flops<=50", "memory<=10"]), line(), never)


def test_excess_is_a_share_of_the_limit():
    with pytest.raises(BrokenConstraintError, match=r"parameters<=80 \(100\)") as caught:
        check(parse_constraints(["parameters<=80", "flops<=60", "memory<=5"]), line(), never)
    assert caught.value.excess == pytest.approx({"parameters": 0.25, "memory": 1.0})


def test_seconds_are_measured_last_and_only_if_all_else_holds():
    with pytest.raises(BrokenConstraintError) as caught:
        check(parse_constraints(["seconds<=1", "flops<=40"]), line(), never)
    assert set(caught.value.excess) == {"flops"}
    with pytest.raises(BrokenConstraintError, match=r"seconds<=1 \(3\)") as caught:
        check(parse_constraints(["seconds<=1"]), line(), lambda settings: 3.0)
    assert caught.value.excess == {"seconds": 2.0}


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(InputError, match="flops of this model cannot be counted"):
        check(parse_constraints(["flops<=40"]), line(flops=None), never)


def test_constraint_that_refused_most_is_named_with_its_smallest_figure():
    limits = parse_constraints(["parameters<=100", "flops<=10"])
    excesses = [
        {"parameters": 0.5},
        {"parameters": 0.2, "flops": 3.0},
        {"flops": 1.0},
        {"flops": 2},
    ]
    said = why_all_refused(limits, excesses, "the last")
    assert "3 of them by --constraint flops<=10: the smallest figure among those was 20." in said
    assert why_all_refused((), [{}], "no fit").endswith("the last one so: no fit")


def test_an_epoch_is_timed_by_a_few_steps(monkeypatch):
    from types import SimpleNamespace

    import numpy as np

    images = np.zeros((90, 1, 8, 8), np.uint8)
    data = SimpleNamespace(train=images, valid=images[:20], shape=(1, 8, 8))
    settings = TrialSettings(decoder="mlp", encoder="mlp", width=0.05, latent_dim=2, batch_size=16)
    assert 0 < seconds_per_epoch(settings, data, 0) < 60
