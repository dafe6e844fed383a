"""The history: what it carries along is what adding up would give, and it survives JSON."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaesearch.bandits.core import ArmHistory, Budget, History

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["added", "started", "observed", "cut", "failed", "at"]),
        st.integers(0, 9),
        st.integers(1, 4),
    ),
    max_size=40,
)


def step(history, kind, which, size):
    """One transition on the arm that ``which`` points at."""
    if kind == "added" or not history.arms:
        return history.added(f"arm-{len(history.arms)}", limit=size if which < 3 else None)
    arm = history.arms[which % len(history.arms)]
    match kind:
        case "started":
            return history.started(arm.name, size)
        case "observed":
            return history.observed(arm.name, [-1.0 - size] * size, [0.5 * size] * size)
        case "at":
            return history.at(history.elapsed + which)
        case status:
            return history.closed(arm.name, status)


@given(STEPS, st.sampled_from([Budget(epochs=30), Budget(seconds=20.0, cap=5), Budget(cap=0)]))
def test_what_is_carried_along_is_what_adding_up_gives(steps, budget):
    history = History(budget)
    for kind, which, size in steps:
        history = step(history, kind, which, size)
        assert history.candidates is history.candidates
        anew = History(budget, history.arms, history.elapsed, history.decisions)
        stored = History.from_dict(json.loads(json.dumps(history.to_dict())))
        assert history == anew == stored
        for other in (anew, stored):
            assert history.spent == other.spent
            assert history.pending == other.pending
            assert history.candidates == other.candidates
            assert [history.arm(a.name) for a in other.arms] == list(other.arms)


def test_candidates_are_open_idle_below_their_limits_and_in_time():
    arms = (
        ArmHistory("flying", pending=1),
        ArmHistory("cut", status="cut"),
        ArmHistory("failed", status="failed"),
        ArmHistory("at the cap", (-1.0,) * 3, (1.0,) * 3),
        ArmHistory("at its own", (-1.0,) * 2, (1.0,) * 2, limit=2),
        ArmHistory("too slow", (-1.0,) * 2, (9.0,) * 2),
        ArmHistory("free", (-1.0,) * 2, (1.0,) * 2),
        ArmHistory("new"),
    )
    history = History(Budget(seconds=10.0, cap=3), arms, elapsed=5.0)
    assert [a.name for a in history.candidates] == ["free", "new"]
    longer = replace(history, budget=Budget(seconds=20.0, cap=3))
    assert [a.name for a in longer.candidates] == ["too slow", "free", "new"]


def test_a_name_is_unique_and_an_unknown_one_an_error():
    history = History(Budget()).added("a")
    with pytest.raises(ValueError, match="already in the history"):
        history.added("a")
    with pytest.raises(KeyError):
        history.arm("b")


@pytest.mark.parametrize(
    ("seconds", "cost"),
    [((), None), ((9.0,), 9.0), ((9.0, 2.0), 2.0), ((9.0, 1.0, 50.0, 2.0), 2.0),
     ((9.0, 1.0, 2.0), 1.5)],
)  # fmt: skip
def test_cost_leaves_the_first_epoch_out_and_is_robust(seconds, cost):
    assert ArmHistory("a", (-1.0,) * len(seconds), seconds).cost == cost


def test_overhead_is_a_median_of_the_latest_pulls():
    history = History(Budget()).added("a").added("b")
    assert history.typical_switch_cost is None
    for overhead in (5.0, None, *[0.5] * 4, 9.0):
        history = history.started("a", 1).observed("a", [-1.0], [1.0], overhead)
    assert history.arm("a").overheads == (5.0, 0.5, 0.5, 0.5, 0.5, 9.0)
    assert history.arm("a").switch_cost == history.typical_switch_cost == 0.5
    for _ in range(50):
        history = history.observed("a", [-1.0], [1.0], 2.0)
    assert set(history.arm("a").overheads) == {2.0}
    assert len(history.arm("a").overheads) < 10


def timed(name, epochs, cost, pending=0):
    return ArmHistory(name, (-1.0,) * epochs, (cost,) * epochs, pending)


def test_reach_in_seconds_goes_by_the_cost_of_each_arm():
    """However many workers there are: the epochs of one arm follow each other."""
    arms = (
        timed("fast", 4, 1.0), timed("slow", 2, 20.0), timed("flying", 3, 2.0, pending=1),
        timed("long flight", 3, 2.0, pending=70), ArmHistory("new"),
    )  # fmt: skip
    for workers in (1, 8):
        history = History(Budget(seconds=150.0, workers=workers), arms, elapsed=50.0)
        reached = {arm.name: history.reach(arm) for arm in arms}
        assert reached == {
            "fast": 104, "slow": 7, "flying": 53, "long flight": 73, "new": 50,
        }  # fmt: skip
    both = History(Budget(epochs=102, seconds=150.0, cap=60), arms, elapsed=50.0)
    assert [both.reach(arm) for arm in arms] == [23, 7, 23, 60, 19]
    late = History(Budget(seconds=150.0), arms, elapsed=149.5)
    assert [late.reach(arm) for arm in arms] == [4, 2, 4, 73, 0]


def test_reach_in_epochs_does_not_look_at_the_clock():
    arms = (timed("fast", 4, 1.0), timed("slow", 2, 20.0, pending=3))
    history = History(Budget(epochs=30), arms, elapsed=1e6)
    assert [history.reach(arm) for arm in arms] == [25, 26]
    unbounded = History(Budget(), arms)
    assert [unbounded.reach(arm) for arm in arms] == [14, 15]
