import numpy as np
import pytest
import torch
from scipy import linalg

from vaesearch.evaluation.frechet import frechet_distance, frechet_estimate, moments


def gaussian(size, seed, rank=None):
    """A mean and a covariance of the given rank, in float64."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(size, rank or 2 * size))
    return torch.tensor(rng.normal(size=size)), torch.tensor(factor @ factor.T)


def by_square_root(mean, covariance, other_mean, other_covariance):
    product = linalg.sqrtm((covariance @ other_covariance).numpy())
    spread = covariance.trace() + other_covariance.trace() - 2 * np.trace(product).real
    return ((mean - other_mean).square().sum() + spread).item()


@pytest.mark.parametrize("size", [1, 3, 40])
def test_distance_is_that_of_the_matrix_square_root(size):
    one, other = gaussian(size, 0), gaussian(size, 1)
    expected = by_square_root(*one, *other)
    assert frechet_distance(*one, *other) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(*other, *one) == pytest.approx(expected, rel=1e-6)


def test_distance_of_commuting_covariances_is_in_closed_form():
    one, other = torch.tensor([4.0, 0.0, 9.0]), torch.tensor([1.0, 25.0, 0.0])
    distance = frechet_distance(torch.zeros(3), one.diag(), torch.full((3,), 2.0), other.diag())
    assert distance == pytest.approx(12 + (2 - 1) ** 2 + 25 + 9, abs=1e-12)


@pytest.mark.parametrize("rank", [1, 5, 12])
def test_distance_from_itself_is_zero_where_covariances_are_singular(rank):
    mean, covariance = gaussian(12, 2, rank)
    assert abs(frechet_distance(mean, covariance, mean, covariance)) < 1e-9 * covariance.trace()


def test_singular_covariances_are_the_limit_of_regular_ones():
    one, other = gaussian(8, 3, rank=2), gaussian(8, 4, rank=3)
    blurred = (m + 1e-12 * torch.eye(8, dtype=torch.float64) for m in (one[1], other[1]))
    expected = by_square_root(one[0], next(blurred), other[0], next(blurred))
    assert frechet_distance(*one, *other) == pytest.approx(expected, rel=1e-4)


def test_moments_are_those_of_the_whole_and_of_the_rest():
    rows = torch.randn(9001, 5, generator=torch.Generator().manual_seed(0)) + 100
    origin = rows.mean(dim=0).double()
    rest = moments(rows, origin).without(moments(rows[:4000], origin))
    torch.testing.assert_close(rest.mean + origin, rows[4000:].double().mean(dim=0))
    torch.testing.assert_close(rest.covariance, torch.cov(rows[4000:].T.double()))


def draws(count, seed, size=6):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_estimate_is_the_distance_of_all_features():
    x, y = draws(403, 0), 1.5 * draws(777, 1) + 0.5
    expected = by_square_root(*(f(z.double()) for z in (x, y) for f in (lambda z: z.mean(0), cov)))
    found = frechet_estimate(x, y).distance
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.count == 403


def cov(x):
    return torch.cov(x.T)


def test_features_are_at_no_distance_from_themselves():
    found = frechet_estimate(draws(300, 0), draws(300, 0)).distance
    assert abs(found.value) < 1e-10
    assert found.error < 1e-10


def test_error_and_bias_are_those_of_repetitions():
    """Over new draws of two laws at a known distance, 6 * (1.5 - 1)^2 + 6 * 0.5^2 = 3."""
    found = [
        frechet_estimate(draws(400, 2 * n), 1.5 * draws(400, 2 * n + 1) + 0.5) for n in range(60)
    ]
    values = torch.tensor([f.distance.value for f in found])
    errors = torch.tensor([f.distance.error for f in found])
    assert errors.mean() == pytest.approx(values.std().item(), rel=0.3)
    standard_error = values.std().item() / 60**0.5
    corrected = values.mean().item() - np.mean([f.bias for f in found])
    assert corrected == pytest.approx(3, abs=3 * standard_error)


def test_bias_of_equal_laws_falls_with_the_number_of_pictures():
    few, many = (frechet_estimate(draws(n, 0), draws(n, 1)) for n in (200, 3200))
    assert few.distance.value > 4 * many.distance.value > 0
    assert few.bias == pytest.approx(few.distance.value, rel=0.5)
