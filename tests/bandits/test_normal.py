"""The normal distribution against scipy, tails included."""

import numpy as np
import pytest
from scipy import integrate, stats

from vaesearch.bandits.normal import expected_excess, normal_cdf, normal_pdf

Z = np.linspace(-37, 37, 100_001)


def test_distribution_function():
    np.testing.assert_allclose(normal_cdf(Z), stats.norm.cdf(Z), rtol=1e-8, atol=0)
    assert normal_cdf(np.array([-1e9, 1e9])).tolist() == [0, 1]


def test_distribution_function_never_falls():
    assert (np.diff(normal_cdf(Z)) >= 0).all()


def test_density():
    np.testing.assert_allclose(normal_pdf(Z), stats.norm.pdf(Z), rtol=1e-12)


@pytest.mark.parametrize(("mean", "scale", "floor"), [(0, 1, 0), (2, 0.5, 1.7), (-1, 3, 4)])
def test_expected_excess_is_the_integral(mean, scale, floor):
    density = stats.norm(mean, scale).pdf
    whole, _ = integrate.quad(lambda x: (x - floor) * density(x), floor, mean + 40 * scale)
    found = expected_excess(np.array([float(mean)]), np.array([float(scale)]), float(floor))
    assert found[0] == pytest.approx(whole, rel=1e-7)


@pytest.mark.parametrize("z", [5.0, 10.0, 15.0])
def test_expected_excess_far_below_the_floor(z):
    """z Φ(-z) and φ(z) all but cancel; the error grows with z², and policies compare ratios."""
    exact, _ = integrate.quad(lambda x: (x - z) * stats.norm.pdf(x), z, z + 5, epsabs=0)
    found = expected_excess(np.zeros(1), np.ones(1), z)
    assert found[0] == pytest.approx(exact, rel=2e-8 * z**2)


def test_expected_excess_bounds():
    means, scales = np.linspace(-50, 50, 400)[:, None], np.array([1e-12, 0.1, 1.0, 1e6])
    excess = expected_excess(means, scales, 0.0)
    assert excess.shape == (400, 4)
    assert (excess >= np.maximum(means, 0) * (1 - 1e-9)).all()
    np.testing.assert_allclose(excess[:, 0], np.maximum(means[:, 0], 0), atol=1e-12)
