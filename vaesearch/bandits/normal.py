"""The standard normal distribution, elementwise and in numpy alone."""

from typing import Any

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

# log(exp(x²) erfc(x) / t) as a polynomial in t = 2 / (2 + x), for x >= 0: a least-squares fit at
# 4,000 Chebyshev nodes. The relative error of erfc is below 6e-9 everywhere, tails included.
_TAIL = (
    -1.26551211775, 0.999998046883, 0.375109829863, 0.0809193239133, -0.0586006400158,
    -0.325489889385, 0.666511680092, -2.01102774489, 3.64260447755, -3.5058873718,
    1.85398004078, -0.507375318362, 0.0547696791916,
)  # fmt: skip


def normal_pdf(z: Array) -> Array:
    """Density at ``z``."""
    density: Array = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return density


def normal_cdf(z: Array) -> Array:
    """Probability of a value below ``z``."""
    x = np.abs(z) / np.sqrt(2)
    t = 2 / (2 + x)
    tail = t * np.exp(polynomial.polyval(t, _TAIL) - x**2) / 2
    below: Array = np.where(z < 0, tail, 1 - tail)
    return below


def expected_excess(means: Array, scales: Array, floor: Array | float) -> Array:
    """E[max(X - floor, 0)] for normal X, in units of X; elementwise (broadcast)."""
    z = (means - floor) / scales
    excess: Array = scales * (z * normal_cdf(z) + normal_pdf(z))
    return np.maximum(excess, 0)  # the two terms cancel far below the floor
