"""Student's t distribution with an integer number of degrees of freedom, in numpy alone."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def student_pdf(z: Array, dof: int) -> Array:
    """Density of the standard Student t distribution, elementwise."""
    log_norm = math.lgamma((dof + 1) / 2) - math.lgamma(dof / 2) - 0.5 * math.log(dof * math.pi)
    return np.exp(log_norm - (dof + 1) / 2 * np.log1p(z**2 / dof))


def student_cdf(z: Array, dof: int) -> Array:
    """Distribution function of the standard Student t distribution, elementwise.

    With tan θ = z / √ν it is a finite sum of even or odd powers of cos θ: Abramowitz & Stegun,
    "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
    """
    angle = np.arctan(z / math.sqrt(dof))
    odd = dof % 2
    cosine = np.cos(angle)
    term = cosine if odd else np.ones_like(cosine)
    total = term if dof > 1 else np.zeros_like(term)
    square = cosine**2
    for power in range(2 + odd, dof - 1, 2):
        term = term * square * ((power - 1) / power)
        total = total + term
    inner = (angle + np.sin(angle) * total) * 2 / math.pi if odd else np.sin(angle) * total
    below: Array = 0.5 + 0.5 * inner
    return below
