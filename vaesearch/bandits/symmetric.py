"""Many symmetric 3x3 matrices at once, each packed as (00, 01, 02, 11, 12, 22).

LAPACK takes such systems one by one; written out, a batch is a few passes over arrays.
"""

import numpy as np

from vaesearch.bandits.normal import Array


def packed_products(rows: Array) -> Array:
    """Outer products of the vectors along the last axis; shape (..., 3) to (..., 6)."""
    x, y, z = np.moveaxis(rows, -1, 0)
    return np.stack([x * x, x * y, x * z, y * y, y * z, z * z], axis=-1)


def invert(matrices: Array) -> tuple[Array, Array]:
    """The inverses, by cofactors, and the determinants; shapes (..., 6) and (...)."""
    a, b, c, d, e, f = np.moveaxis(matrices, -1, 0)
    cofactors = (
        d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b,
    )  # fmt: skip
    determinants = a * cofactors[0] + b * cofactors[1] + c * cofactors[2]
    return np.stack(cofactors, axis=-1) / determinants[..., None], determinants


def multiply(matrices: Array, vectors: Array) -> Array:
    """Matrix times vector; shapes (..., 6) and (..., 3) to (..., 3)."""
    a, b, c, d, e, f = np.moveaxis(matrices, -1, 0)
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z], axis=-1)


def dot(left: Array, right: Array) -> Array:
    """Inner products along the last axis; shapes (..., 3) and (..., 3) to (...).

    Written out, since numpy's sums along an axis of three take seven times as long.
    """
    a, b, c = np.moveaxis(left, -1, 0)
    x, y, z = np.moveaxis(right, -1, 0)
    return np.asarray(a * x + b * y + c * z)


def quadratic(matrices: Array, vectors: Array) -> Array:
    """Vector times matrix times vector; shapes (..., 6) and (..., 3) to (...)."""
    a, b, c, d, e, f = np.moveaxis(matrices, -1, 0)
    x, y, z = np.moveaxis(vectors, -1, 0)
    products = a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z
    return np.asarray(x * products[0] + y * products[1] + z * products[2])


def unpack(matrices: Array) -> Array:
    """Whole matrices, shape (..., 6) to (..., 3, 3)."""
    a, b, c, d, e, f = np.moveaxis(matrices, -1, 0)
    rows = [np.stack(row, axis=-1) for row in ((a, b, c), (b, d, e), (c, e, f))]
    return np.stack(rows, axis=-2)
