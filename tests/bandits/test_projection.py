"""Final values: the mixture against its own draws, and which epoch each model is taken at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.curves import Curves, fit
from vaesearch.bandits.projection import STAGES, project
from vaesearch.bandits.synthetic import FAMILIES

LISTS = st.lists(st.floats(-10, 10), min_size=1, max_size=12)
EPOCHS = np.arange(20)


def history(curves, epochs=10_000, cap=60):
    arms = tuple(ArmHistory(f"{i:02d}", tuple(map(float, c))) for i, c in enumerate(curves))
    return History(Budget(epochs=epochs, cap=cap), arms)


def exponential(final, gain, time, epochs, noise=0.0, seed=0):
    curve = final - gain * np.exp(-np.arange(epochs) / time)
    return curve + np.random.default_rng(seed).normal(0, noise, epochs)


@pytest.fixture(scope="module")
def state():
    """Arms of 3 to 12 epochs, one of which stopped rising."""
    curves = FAMILIES["power"].draw(1, 4, 12).rewards
    return history([curves[0][:3], curves[1][:7], curves[2], [-3.3, -3.1, -3.0, -3.1, -3.2, -3.3]])


@pytest.fixture(scope="module")
def draws(state):
    rng = np.random.default_rng(0)
    projection = project(state)
    return np.array([projection.draw(rng) for _ in range(20_000)])


def test_expectation_is_the_mean_of_draws(state, draws):
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(project(state).expected() - draws.mean(axis=0)) < 4 * error + 1e-9).all()


@pytest.mark.parametrize("above", [-0.5, 0.0, 0.3])
def test_excess_is_the_mean_of_what_draws_exceed(state, draws, above):
    projection = project(state)
    floor = float(projection.posterior.best.max()) + above
    over = np.maximum(draws - np.maximum(floor, projection.posterior.best), 0)
    error = over.std(axis=0) / np.sqrt(len(over))
    found = projection.excess(np.maximum(floor, projection.posterior.best))
    assert (np.abs(found - over.mean(axis=0)) < 4 * error + 1e-6).all()


def test_one_floor_is_that_floor_for_each(state):
    projection = project(state)
    np.testing.assert_array_equal(projection.excess(0.2), projection.excess(np.full(4, 0.2)))


def test_excess_is_the_integral_of_what_is_not_below(state):
    """E[max(X - v, 0)] = ∫_v (1 - F)."""
    projection = project(state)
    grid = 0.1 + 60 * np.linspace(0, 1, 10_000) ** 3
    above = np.array([1 - projection.below(np.full(4, v)) for v in grid])
    whole = np.trapezoid(above, grid, axis=0)
    np.testing.assert_allclose(projection.excess(0.1), whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.7, 0.9, 0.99])
def test_quantiles_are_those_of_draws(state, draws, level):
    projection = project(state)
    bound = projection.quantile(level)
    reached = np.mean(draws <= bound + 1e-9, axis=0)
    floored = np.mean(draws <= projection.posterior.best, axis=0)
    assert np.abs(reached - np.maximum(level, floored)).max() < 0.015


@pytest.mark.parametrize("level", [0.3, 0.9])
def test_quantiles_invert_below(state, level):
    projection = project(state)
    weights, means, scales = (
        projection.posterior.weights, projection.means, projection.scales
    )  # fmt: skip
    for arm, found in enumerate(projection.quantile(level)):
        exact = optimize.brentq(
            lambda v, arm=arm: (
                weights[arm] @ stats.norm.cdf((v - means[arm]) / scales[arm]) - level
            ),
            -1e3,
            1e3,
            xtol=1e-12,
        )
        assert found == pytest.approx(max(exact, projection.posterior.best[arm]), abs=1e-6)


def test_extreme_quantiles_are_finite(state):
    projection = project(state)
    np.testing.assert_array_equal(projection.quantile(0.0), projection.posterior.best)
    assert np.isfinite(projection.quantile(1.0)).all()
    assert (projection.quantile(1.0) > projection.quantile(0.999)).all()


def test_spread_is_that_of_the_mixture(state):
    projection = project(state)
    rng = np.random.default_rng(1)
    for arm, spread in enumerate(projection.spread()):
        parts = rng.choice(
            len(projection.means[arm]), size=40_000, p=projection.posterior.weights[arm]
        )
        values = rng.normal(projection.means[arm, parts], projection.scales[arm, parts])
        assert np.std(values) == pytest.approx(spread, rel=0.1)


@settings(deadline=None)
@given(rewards=LISTS, ahead=st.integers(0, 40), others=st.lists(LISTS, max_size=3))
def test_never_below_the_best_so_far(rewards, ahead, others):
    arms = [rewards, *others]
    projection = project(history(arms, epochs=sum(map(len, arms)) + ahead))
    best = projection.posterior.best
    for values in (
        projection.expected(),
        projection.quantile(0.01),
        projection.draw(np.random.default_rng(0)),
    ):
        assert np.isfinite(values).all()
        assert (values >= best).all()
    np.testing.assert_allclose(
        [projection.in_rewards(best)[f"{i:02d}"] for i in range(len(arms))],
        [max(arm) for arm in arms],
        atol=1e-9,
    )


def test_past_its_peak_an_arm_has_nothing_more_to_give():
    """Best at epoch 8, worse ever since."""
    curve = exponential(-3.0, 1.0, 2.0, 20, 0.003) - 0.02 * np.maximum(EPOCHS - 7, 0)
    projection = project(history([curve]))
    gain = projection.in_rewards(projection.expected())["00"] - curve.max()
    assert gain < 0.001
    assert projection.in_rewards(projection.quantile(0.95))["00"] - curve.max() < 0.005


@pytest.mark.parametrize("drop", [1.0, 30.0])
def test_a_curve_that_falls_for_ever_is_worth_its_first_epoch(drop):
    falling = -3 - drop * np.linspace(0, 1, 12) + np.random.default_rng(0).normal(0, 0.003, 12)
    projection = project(history([falling]))
    assert projection.in_rewards(projection.expected())["00"] - falling.max() < 0.001


def test_a_late_bloomer_is_seen_to_pass_a_saturated_arm():
    late, flat = (
        exponential(-3.0, 1.0, 10.0, 12, 0.005),
        exponential(-3.25, 1.0, 2.0, 12, 0.005, 1),
    )
    assert late[-1] < flat[-1]
    projection = project(history([late, flat]))
    values = projection.in_rewards(projection.expected())
    assert values["00"] > values["01"] + 0.1


@pytest.mark.parametrize("family", ["fast", "power", "crossing", "overfitting", "early peak"])
def test_the_best_to_come_is_seldom_above_the_upper_quantile(family):
    """The best reward by epoch 50, foreseen at epoch 15, of 40 sets of 5 arms."""
    inside = []
    for seed in range(40):
        rewards = FAMILIES[family].draw(seed, 5, 50).rewards
        projection = project(history(rewards[:, :15], cap=50))
        best = (rewards.max(axis=1) - projection.posterior.prior.level) / (
            projection.posterior.prior.scale
        )
        low, high = projection.quantile(0.05), projection.quantile(0.95)
        inside.extend((low - 1e-6 <= best) & (best <= high + 1e-6))
    assert np.mean(inside) >= 0.9


def test_each_model_is_taken_where_it_expects_most():
    """A curve that bends down early: its turning models expect more soon than at the end."""
    rewards = exponential(-3.0, 1.0, 3.0, 10) - 0.01 * np.arange(10)
    state = history([rewards], cap=90)
    projection, posterior = project(state), fit(Curves.of([rewards.tolist()]))
    stages = np.stack([posterior.at(np.array([10 + 80 * s]))[0][0] for s in STAGES])
    np.testing.assert_allclose(projection.means[0], stages.max(axis=0))
    assert len(set(stages.argmax(axis=0))) > 1
    chosen = np.stack([posterior.at(np.array([10 + 80 * s]))[1][0] for s in STAGES])
    np.testing.assert_allclose(
        projection.scales[0], np.choose(stages.argmax(axis=0), chosen), rtol=1e-12
    )


def test_one_epoch_left_is_the_next_epoch():
    rewards = exponential(-3.0, 1.0, 3.0, 10)
    projection = project(history([rewards], epochs=11))
    means, scales = projection.posterior.at(np.array([11.0]))
    np.testing.assert_array_equal(projection.means, means)
    np.testing.assert_array_equal(projection.scales, scales)


@pytest.mark.parametrize("limits", [{"cap": 10}, {"epochs": 15}])
def test_an_arm_that_gets_no_further_is_worth_its_best_so_far(limits):
    projection = project(history([exponential(-3.0, 1.0, 8.0, 10), [-4.0] * 5], **limits))
    best = projection.posterior.best
    assert projection.expected()[0] == pytest.approx(best[0], abs=1e-9)
    assert projection.quantile(0.99)[0] == pytest.approx(best[0], abs=1e-9)
    assert projection.spread()[0] < 1e-9
    assert projection.excess(best[0] - 0.5)[0] == pytest.approx(0.5)
    if "cap" in limits:
        assert projection.expected()[1] > best[1] + 1e-6


def test_who_is_projected():
    arms = (
        ArmHistory("b", (1.0, 2.0)),
        ArmHistory("lost", (1.0,), status="failed"),
        ArmHistory("new"),
        ArmHistory("a", (0.0,), status="cut"),
    )
    assert project(History(Budget(epochs=20), arms)).names == ("a", "b")
    with pytest.raises(ValueError, match="no arm has a reward"):
        project(History(Budget(epochs=20), arms[1:3]))


def test_the_order_of_arms_is_of_no_consequence(state):
    other = project(History(state.budget, state.arms[::-1]))
    ours = project(state)
    assert ours.names == other.names
    np.testing.assert_array_equal(ours.expected(), other.expected())
    first, second = (p.draw(np.random.default_rng(3)) for p in (ours, other))
    np.testing.assert_array_equal(first, second)
