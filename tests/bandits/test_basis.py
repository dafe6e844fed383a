"""Everything that depends on epochs alone, against what it says it is."""

import numpy as np
import pytest

from vaesearch.bandits.basis import (
    MODELS,
    POWERS,
    RISES,
    ROUGHNESS,
    TIMES,
    design,
    rise,
    running,
    tables,
)
from vaesearch.bandits.symmetric import unpack

LENGTHS = [1, 2, 7, 64]


def covariance(length):
    logs = np.log(np.arange(1.0, length + 1))
    return np.eye(length) + ROUGHNESS**2 * np.minimum(logs[:, None], logs)


def test_rises_are_the_families():
    epochs = np.array([[1, 2], [5, 40]])
    found = rise(epochs)
    assert found.shape == (2, 2, RISES)
    for j, power in enumerate(POWERS):
        np.testing.assert_allclose(found[..., j], 1 - epochs ** -float(power), atol=1e-15)
    for j, time in enumerate(TIMES, start=len(POWERS)):
        np.testing.assert_allclose(found[..., j], 1 - np.exp(-(epochs - 1) / time), atol=1e-15)


def test_rises_start_at_zero_and_never_fall():
    table = tables(300).rises
    np.testing.assert_array_equal(table[:, 0], 0)
    assert (np.diff(table, axis=1) >= 0).all()
    assert table.max() <= 1


def test_design_rows():
    rows = design(np.array([1.0, 9.0]))
    assert rows.shape == (2, MODELS, 3)
    np.testing.assert_array_equal(rows[0], np.tile([1.0, 0.0, 0.0], (MODELS, 1)))
    np.testing.assert_array_equal(rows[1, :, 2], -8)
    np.testing.assert_array_equal(rows[1, :RISES, 1], rows[1, RISES:, 1])


@pytest.mark.parametrize("length", LENGTHS)
def test_whitening_of_the_first_epochs_is_that_of_a_shorter_curve(length):
    whitener = tables(300).whitener[:length, :length]
    np.testing.assert_allclose(
        whitener @ covariance(length) @ whitener.T, np.eye(length), atol=1e-9
    )
    assert (np.triu(tables(300).whitener, 1) == 0).all()
    np.testing.assert_allclose(whitener, tables(64).whitener[:length, :length], atol=1e-12)


@pytest.mark.parametrize("length", LENGTHS)
def test_running_sums_are_direct_sums(length):
    """X' C^-1 X, X' C^-1 k and k' C^-1 k, with k the covariance with B at the last epoch."""
    known = tables(300)
    epochs = np.arange(1.0, length + 1)
    rows, drift = design(epochs), ROUGHNESS**2 * np.log(epochs)
    inverse = np.linalg.inv(covariance(length))
    grams = np.einsum("nmi,nk,kmj->mij", rows, inverse, rows)
    np.testing.assert_allclose(unpack(known.grams[length]), grams, rtol=1e-7, atol=1e-9)
    direct = np.einsum("nmi,n->mi", rows, inverse @ drift)
    np.testing.assert_allclose(known.drift_designs[length], direct, rtol=1e-7, atol=1e-9)
    assert known.drift_squares[length] == pytest.approx(drift @ inverse @ drift, rel=1e-9)


def test_nothing_is_known_before_the_first_epoch():
    known = tables(1)
    assert not known.grams[0].any()
    assert not known.drift_designs[0].any()
    assert known.drift_squares[0] == 0


def test_tables_are_long_enough_and_shared():
    assert len(tables(65).designs) >= 65
    assert tables(65) is tables(100)


def test_running():
    np.testing.assert_array_equal(running(np.array([1.0, 2.0, 4.0])), [0, 1, 3, 7])
