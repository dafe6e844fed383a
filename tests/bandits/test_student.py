"""Student's t in numpy, against scipy."""

import numpy as np
import pytest
from scipy import stats

from vaesearch.bandits.student import student_cdf, student_pdf

Z = np.array([-1e6, -40.0, -3.0, -0.5, 0.0, 0.5, 3.0, 40.0])


@pytest.mark.parametrize("dof", [1, 2, 3, 4, 5, 6, 7, 30, 101])
def test_equals_scipy(dof):
    np.testing.assert_allclose(student_cdf(Z, dof), stats.t.cdf(Z, dof), atol=1e-12)
    np.testing.assert_allclose(student_pdf(Z, dof), stats.t.pdf(Z, dof), atol=1e-12)
