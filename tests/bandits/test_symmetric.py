"""Packed 3x3 matrices against LAPACK."""

import numpy as np
import pytest

from vaesearch.bandits.symmetric import (
    dot,
    invert,
    multiply,
    packed_products,
    quadratic,
    unpack,
)


@pytest.fixture
def matrices():
    """Positive definite, packed, shape (4, 5, 6)."""
    rows = np.random.default_rng(0).normal(size=(4, 5, 7, 3))
    return packed_products(rows).sum(axis=2)


def test_products_and_unpack():
    rows = np.random.default_rng(1).normal(size=(4, 5, 3))
    expected = rows[..., :, None] * rows[..., None, :]
    np.testing.assert_array_equal(unpack(packed_products(rows)), expected)


def test_invert(matrices):
    inverses, determinants = invert(matrices)
    assert inverses.shape == matrices.shape
    np.testing.assert_allclose(unpack(inverses), np.linalg.inv(unpack(matrices)), rtol=1e-10)
    np.testing.assert_allclose(determinants, np.linalg.det(unpack(matrices)), rtol=1e-10)


def test_multiply(matrices):
    vectors = np.random.default_rng(2).normal(size=(4, 5, 3))
    expected = np.einsum("abij,abj->abi", unpack(matrices), vectors)
    np.testing.assert_allclose(multiply(matrices, vectors), expected, rtol=1e-12)


def test_dot_adds_as_numpy_does():
    """To the last bit: decisions that were recorded follow from these sums."""
    rng = np.random.default_rng(3)
    left, right = rng.normal(size=(2, 50, 26, 3)) * 10.0 ** rng.integers(-9, 9, (2, 50, 26, 3))
    np.testing.assert_array_equal(dot(left, right), np.sum(left * right, axis=-1))


def test_quadratic_is_dot_of_multiply(matrices):
    vectors = np.random.default_rng(4).normal(size=(4, 5, 3))
    expected = dot(vectors, multiply(matrices, vectors))
    np.testing.assert_array_equal(quadratic(matrices, vectors), expected)


def test_scales_far_apart():
    """Precisions of a prior too narrow to move beside those of a wide one."""
    packed = np.array([[1e-4 + 30, 20.0, -400.0, 15.0, -300.0, 1e7 + 9000]])
    exact = np.linalg.inv(unpack(packed))
    np.testing.assert_allclose(unpack(invert(packed)[0]), exact, rtol=1e-9, atol=1e-16)
