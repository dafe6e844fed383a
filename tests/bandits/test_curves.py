"""The projection of learning curves: exactness, calibration, and the shapes it must cope with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from vaesearch.bandits.curves import (
    DECLINE,
    NOISE_SHAPE,
    RISES,
    TURNING,
    Prior,
    Projection,
    best_of,
    designs,
    fit,
    pooled_prior,
    project,
    rises,
    typical_noise,
)

CURVES = st.lists(st.floats(-10, 10), min_size=1, max_size=12)


def exponential(final, gain, time, epochs, noise=0.0, seed=0):
    curve = final - gain * np.exp(-np.arange(epochs) / time)
    return curve + np.random.default_rng(seed).normal(0, noise, epochs)


def test_rises_start_at_zero_and_never_fall():
    table = rises(50)
    np.testing.assert_array_equal(table[:, 0], 0)
    assert (np.diff(table, axis=1) >= 0).all()
    assert table.max() <= 1


def test_posterior_equals_numerical_integration():
    """Evidence and predictive mean of models 2 and 2 + RISES from the densities themselves."""
    rewards, target = [0.2, 0.5, 0.55, 0.7], 9
    prior = Prior(level=0.3, spread=1.0, gains=(0.8,) * RISES, noise=0.2)
    posterior = fit(rewards, target, prior)
    rate = NOISE_SHAPE * prior.noise**2
    evidence, predicted = [], []
    for model, (decline, weight) in {2: (0.0, 1 - TURNING), 2 + RISES: (1.0, TURNING)}.items():
        rows = designs(target)[model]
        means = np.array([prior.level, 0.8, decline * DECLINE * 0.8])
        deviations = np.array([1.0, 0.8, DECLINE * 0.8 * (decline + 1e-6 / DECLINE)])

        def moments(variance, rows=rows, means=means, deviations=deviations):
            """Density of (σ², rewards) and mean at the target, via the joint normal."""
            scale = variance / prior.noise**2
            joint = (rows * deviations**2 * scale) @ rows.T
            seen = joint[:4, :4] + variance * np.eye(4)
            off = np.array(rewards) - rows[:4] @ means
            density = stats.multivariate_normal(rows[:4] @ means, seen).pdf(rewards)
            density *= stats.invgamma(NOISE_SHAPE, scale=rate).pdf(variance)
            ahead = rows[-1] @ means + joint[-1, :4] @ np.linalg.solve(seen, off)
            return density, density * ahead

        total, first = (
            integrate.quad(lambda v, i=i: moments(v)[i], 0, 4, points=[0.01, 0.1], limit=200)[0]
            for i in (0, 1)
        )
        evidence.append(weight * total)
        predicted.append(first / total)
        ours = prior.level + designs(target)[model, -1] @ posterior.means[model]
        assert ours == pytest.approx(predicted[-1], abs=1e-6)
    ratio = posterior.weights[2 + RISES] / posterior.weights[2]
    assert ratio == pytest.approx(evidence[1] / evidence[0], rel=1e-4)
    assert posterior.weights.sum() == pytest.approx(1)


def test_a_mixture_against_its_own_draws():
    mixture = Projection(
        np.array([0.3, 0.5, 0.2]), np.array([-1.0, 0.0, 2.0]), np.array([0.5, 1.0, 0.1]), 6, -0.5
    )
    rng = np.random.default_rng(0)
    draws = np.array([mixture.sample(rng) for _ in range(40_000)])
    assert mixture.mean == pytest.approx(draws.mean(), abs=0.02)
    for level in (0.1, 0.5, 0.7, 0.9, 0.99):
        assert np.mean(draws <= mixture.quantile(level)) == pytest.approx(
            max(level, np.mean(draws == -0.5)), abs=0.01
        )
    unfloored = Projection(mixture.weights, mixture.means, mixture.scales, 6, -np.inf)
    assert unfloored.mean == pytest.approx(0.1)
    assert unfloored.spread == pytest.approx(
        np.std([unfloored.sample(rng) for _ in range(40_000)]), rel=0.03
    )


@settings(deadline=None)
@given(rewards=CURVES, ahead=st.integers(1, 40), others=st.lists(CURVES, max_size=3))
def test_never_below_the_best_so_far(rewards, ahead, others):
    prior = pooled_prior([rewards, *others])
    projection = project(rewards, len(rewards) + ahead, prior)
    rng = np.random.default_rng(0)
    seen = [projection.mean, projection.quantile(0.01), *(projection.sample(rng) for _ in "abc")]
    assert min(seen) >= max(rewards)
    assert np.isfinite([*seen, projection.spread]).all()


@settings(deadline=None)
@given(rewards=CURVES.filter(lambda c: np.ptp(c) > 0.1 and len(c) > 1), shift=st.floats(-99, 99))
def test_shift_and_scale_carry_over(rewards, shift):
    plain = project(rewards, 30)
    moved = project([shift + 1e-6 * r for r in rewards], 30)
    for level in (0.2, 0.9):
        expected = shift + 1e-6 * plain.quantile(level)
        assert moved.quantile(level) == pytest.approx(expected, abs=1e-7 + 1e-9 * abs(shift))


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.03])
@pytest.mark.parametrize("seen", [6, 15])
def test_intervals_are_calibrated(noise, seen):
    """80% intervals of the best reward by epoch 50 cover it in 65-95% of 150 curves."""
    rng = np.random.default_rng(11)
    covered = []
    for seed in range(150):
        curve = exponential(
            rng.normal(), rng.uniform(0.3, 1), 2 ** rng.uniform(1, 4), 50, noise, seed
        )
        projection = project(curve[:seen].tolist(), 50)
        low, high = projection.quantile(0.1), projection.quantile(0.9)
        covered.append(low <= curve.max() <= high)
    assert 0.65 <= np.mean(covered) <= 0.95


def test_more_epochs_narrow_the_projection():
    curve = exponential(-3.0, 1.0, 8.0, 60, 0.01).tolist()
    widths = []
    for seen in (1, 3, 6, 12, 25, 50):
        projection = project(curve[:seen], 60)
        widths.append(projection.quantile(0.9) - projection.quantile(0.1))
    assert widths[-1] < 0.1 * widths[1]
    assert widths[3] < 0.5 * widths[1]


def test_a_late_bloomer_is_seen_to_pass_a_saturated_arm():
    late, flat = (
        exponential(-3.0, 1.0, 10.0, 12, 0.005),
        exponential(-3.25, 1.0, 2.0, 12, 0.005),
    )
    prior = pooled_prior([late.tolist(), flat.tolist()])
    assert late[-1] < flat[-1]
    assert project(late.tolist(), 60, prior).mean > project(flat.tolist(), 60, prior).mean + 0.1


def test_past_its_peak_an_arm_has_nothing_more_to_give():
    """Best at epoch 8, worse ever since: the projection is the best so far, give or take noise."""
    epochs = np.arange(20)
    curve = exponential(-3.0, 1.0, 2.0, 20, 0.003) - 0.02 * np.maximum(epochs - 7, 0)
    projection = project(curve.tolist(), 60)
    assert projection.quantile(0.9) - curve.max() < 0.005


def test_a_shared_prior_helps_after_one_epoch():
    """Arms that all gained about 1 say what a newcomer may gain."""
    pool = [exponential(-3.0 + i / 10, 1.0, 4.0, 15, 0.01, i).tolist() for i in range(4)]
    newcomer = project([-4.0], 15, pooled_prior([*pool, [-4.0]]))
    assert newcomer.quantile(0.1) < -3.0 < newcomer.quantile(0.9)
    assert newcomer.quantile(0.9) - newcomer.quantile(0.1) < 6


def test_no_reward_at_all_projects_from_the_prior():
    prior = pooled_prior([[1.0, 2.0, 2.5]])
    projection = project([], 10, prior)
    assert np.isfinite(projection.mean)
    assert projection.spread > project([1.0, 2.0, 2.5], 10, prior).spread


def test_typical_noise_ignores_the_trend():
    curves = [exponential(0.0, 5.0, 10.0, 60, 0.02, seed) for seed in range(20)]
    assert typical_noise(curves) == pytest.approx(0.02, rel=0.25)
    assert typical_noise([np.array([1.0, 2.0])]) == 0


@pytest.mark.parametrize("count", [1, 2, 5, 30, 100])
def test_best_of(count):
    draws = np.random.default_rng(0).normal(size=(20_000, count)).max(axis=1)
    low, middle, high = np.quantile(draws, [0.1587, 0.5, 0.8413])
    assert best_of(count) == pytest.approx((middle, (high - low) / 2), abs=0.03)
