import math

import numpy as np
import pytest
import torch
from pixel_cases import LEVELS
from scipy import stats
from torch.distributions import Laplace

from vaesearch.models.pixels import HALF_STEP, DiscretizedLogisticPixels, LaplacePixels
from vaesearch.models.pixels.cells import laplace_log_cell, logistic_log_cell

IMAGES = LEVELS.view(256, 1, 1, 1)
MEANS = (-100.0, -1.0, 0.0, 0.3, 0.5, 1.0, 1.7, 100.0)


def masses(frozen):
    """Of the levels' cells, the outer ones open; from the nearer tail, where nothing cancels."""
    low, high = (LEVELS - HALF_STEP).numpy(), (LEVELS + HALF_STEP).numpy()
    low[0], high[-1] = -math.inf, math.inf
    from_below, from_above = frozen.cdf(high) - frozen.cdf(low), frozen.sf(low) - frozen.sf(high)
    return torch.tensor(np.where(low > frozen.median(), from_above, from_below))


@pytest.mark.parametrize(("mean", "scale"), [(0.4, 0.05), (-0.2, 0.01), (1.1, 0.3), (0.5, 2.0)])
def test_masses_are_those_of_scipy(mean, scale):
    for exact, made in (
        (stats.logistic, DiscretizedLogisticPixels),
        (stats.laplace, LaplacePixels),
    ):
        frozen = exact(mean, scale)
        pixels = made(
            torch.full_like(IMAGES, mean), torch.tensor(math.log(scale), dtype=torch.float64)
        )
        expected = masses(frozen)
        torch.testing.assert_close(pixels.log_mass(IMAGES).exp(), expected, rtol=1e-6, atol=1e-20)


def test_laplace_density_is_that_of_torch():
    mean = torch.linspace(0, 1, 24, dtype=torch.float64).view(2, 3, 2, 2)
    x, log_scale = mean.flip(0), torch.tensor(-1.3, dtype=torch.float64)
    expected = Laplace(mean, log_scale.exp()).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(LaplacePixels(mean, log_scale).log_prob(x), expected)


@pytest.mark.parametrize("cell", [logistic_log_cell, laplace_log_cell])
def test_gradients_are_the_slopes(cell):
    x = torch.tensor([0.0, 0.0, 77 / 255, 0.4, 1.0, 1.0], dtype=torch.float64).view(6, 1, 1, 1)
    means = torch.tensor([-0.2, 0.1, 0.3, 0.9, 0.8, 1.3], dtype=torch.float64).view(6, 1, 1, 1)
    scale = torch.tensor(-3.0 if cell is logistic_log_cell else 0.05, dtype=torch.float64)
    for scales in (scale, scale.expand_as(means).clone()):
        inputs = (x, means.requires_grad_(), scales.requires_grad_())
        assert torch.autograd.gradcheck(cell, inputs)


@pytest.mark.parametrize("mean", [*MEANS, -1e4, 1e4])
@pytest.mark.parametrize("log_scale", [math.log(HALF_STEP) - 0.6, -4.0, -1.0, 4.0])
@pytest.mark.parametrize("cell", [logistic_log_cell, laplace_log_cell])
def test_gradients_of_the_mass_hold_in_the_tails(cell, mean, log_scale):
    """In single precision as in double."""
    results = []
    for dtype in (torch.float32, torch.float64):
        means = torch.full((256, 1, 1, 1), mean, dtype=dtype, requires_grad=True)
        spread = torch.tensor(log_scale, dtype=dtype, requires_grad=True)
        scale = spread if cell is logistic_log_cell else spread.exp()
        log_mass = cell(IMAGES.to(dtype), means, scale)
        assert log_mass.isfinite().all()
        log_mass.sum().backward()
        results.append((log_mass, means.grad * math.exp(log_scale), spread.grad))
    for single, double in zip(*results, strict=True):
        assert double.isfinite().all()
        torch.testing.assert_close(single.double(), double, rtol=1e-2, atol=1e-2)
