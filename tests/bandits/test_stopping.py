"""The probability of being best against draws of the final values."""

from dataclasses import replace

import numpy as np
import pytest

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.projection import project
from vaesearch.bandits.stopping import probability_best
from vaesearch.bandits.synthetic import FAMILIES

GRID_ERROR = 0.005


def history(curves, epochs=10_000, cap=60):
    arms = tuple(ArmHistory(f"{i:02d}", tuple(map(float, c))) for i, c in enumerate(curves))
    return History(Budget(epochs=epochs, cap=cap), arms)


def curve(final, gain, pace, epochs):
    return final - gain * np.exp(-np.arange(epochs) / pace)


def by_draws(state, count=10_000):
    """How often each arm is highest; closed arms and those at their cap stay where they are."""
    projection = project(state)
    rng = np.random.default_rng(0)
    stuck = np.array(
        [
            state.arm(name).status != "open" or state.reach(arm) == arm.epochs
            for name in projection.names
            for arm in [state.arm(name)]
        ]
    )
    draws = np.array([projection.draw(rng) for _ in range(count)])
    draws = np.where(stuck, projection.posterior.best, draws)
    return dict(
        zip(projection.names, np.bincount(draws.argmax(axis=1), minlength=len(stuck)) / count,
            strict=True)
    )  # fmt: skip


def assert_alike(state):
    found, drawn = probability_best(state), by_draws(state)
    assert found.keys() == drawn.keys()
    assert sum(found.values()) == pytest.approx(1)
    for name, share in found.items():
        error = 3 * np.sqrt(share * (1 - share) / 10_000)
        assert share == pytest.approx(drawn[name], abs=error + GRID_ERROR)


@pytest.mark.parametrize("family", ["crossing", "power", "overfitting", "heavy noise"])
@pytest.mark.parametrize("seen", [3, 15])
def test_equals_the_share_of_draws(family, seen):
    assert_alike(history(FAMILIES[family].draw(2, 6, 20).rewards[:, :seen]))


def test_fifty_arms_of_unequal_length():
    curves = FAMILIES["power"].draw(4, 50, 30).rewards
    assert_alike(history([c[: 2 + i % 20] for i, c in enumerate(curves)]))


def test_a_narrow_arm_beside_wide_ones():
    """One arm long known exactly, and newcomers that may end anywhere."""
    assert_alike(history([curve(-3, 1, 4.0, 55), *([-4.0 + i / 20] for i in range(4))]))


def test_closed_arms_stay_where_they_are():
    state = history(FAMILIES["crossing"].draw(2, 5, 20).rewards[:, :8])
    going = probability_best(state)
    likely = max(going, key=going.get)
    cut = state.closed(likely, "cut")
    assert_alike(cut)
    assert probability_best(cut)[likely] < going[likely]


def test_failed_arms_do_not_count():
    state = history([curve(-3, 1, 4.0, 9), curve(-3, 1, 5.0, 9)]).closed("00", "failed")
    assert probability_best(state) == {"01": pytest.approx(1)}


def test_equals_share_alike():
    twins = history([curve(-3, 1, 4.0, 8)] * 4)
    assert list(probability_best(twins).values()) == pytest.approx([0.25] * 4)


def test_without_budget_the_leaders_share_it():
    arms = [[0.0, 1.0], [0.5, 1.0], [0.0, 0.9]]
    assert list(probability_best(history(arms, epochs=6)).values()) == [0.5, 0.5, 0]


def test_an_arm_at_its_cap_goes_no_further():
    state = history([curve(-3.2, 1, 8.0, 20), curve(-3.1, 1, 8.0, 10)], cap=20)
    assert_alike(state)
    capped = replace(state.arms[1], limit=10)
    stuck = History(state.budget, (state.arms[0], capped))
    assert list(probability_best(stuck).values()) == [1, 0]


def test_a_sure_winner():
    far = history([curve(-1, 1, 2.0, 30), curve(-9, 1, 2.0, 30), curve(-8, 1, 2.0, 30)])
    assert probability_best(far)["00"] > 1 - 1e-9


def test_one_arm_is_the_best():
    assert probability_best(history([[1.0, 2.0]])) == {"00": pytest.approx(1)}


def test_an_arm_without_rewards_makes_nothing_sure():
    state = history([[1.0, 2.0], [0.0, 0.5]]).added("new")
    assert probability_best(state) == {"00": 0, "01": 0}
    assert probability_best(state.closed("new", "cut"))["00"] > 0.5


def test_nothing_to_go_by():
    assert probability_best(History(Budget(epochs=9)).added("a")) == {}


def test_constant_rewards():
    assert list(probability_best(history([[1.0] * 5] * 2)).values()) == pytest.approx([0.5] * 2)
