import pytest
import torch
from scipy.integrate import quad
from torch.distributions import Beta

from vaesearch.models.pixels import BetaPixels
from vaesearch.models.pixels.beta import _digamma, log_beta


def column(values):
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1)


ALPHAS = column([0.02, 0.4, 1.0, 3.0, 200.0, 0.02])
BETAS = column([0.02, 2.0, 1.0, 0.5, 300.0, 50.0])


def test_beta_is_that_of_torch():
    u = torch.linspace(0.05, 0.95, 6, dtype=torch.float64).view(6, 1, 1, 1)
    pixels, exact = BetaPixels(ALPHAS, BETAS), Beta(ALPHAS, BETAS)
    torch.testing.assert_close(pixels.log_density(u), exact.log_prob(u).flatten())
    torch.testing.assert_close(pixels.mean, exact.mean)
    torch.testing.assert_close(pixels.standard_deviation, exact.stddev)


@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 2.0), (1.0, 4.0), (200.0, 300.0), (3.0, 1.0)])
def test_beta_integrates_to_one(alpha, beta):
    u = torch.linspace(1e-9, 1 - 1e-9, 20_001, dtype=torch.float64)
    parameters = (column([value]).expand(len(u), 1, 1, 1) for value in (alpha, beta))
    density = BetaPixels(*parameters).log_density(u.view(-1, 1, 1, 1)).exp()
    assert torch.trapezoid(density, u).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("level", [0, 1, 100, 255])
def test_beta_expects_over_the_cell_of_a_level(level):
    """Even at the ends, where the density itself may be infinite."""
    found = BetaPixels(ALPHAS, BETAS).log_prob(column([level / 255]).expand(6, 1, 1, 1))
    for value, alpha, beta in zip(found, ALPHAS.flatten(), BETAS.flatten(), strict=True):
        exact = Beta(alpha, beta)

        def log_density(u, exact=exact):
            return exact.log_prob(torch.tensor(u, dtype=torch.float64)).item() * 256

        expected, _ = quad(log_density, level / 256, (level + 1) / 256, epsabs=1e-9)
        assert value.item() == pytest.approx(expected, rel=1e-6)


def test_digamma_is_that_of_torch():
    x = torch.logspace(-2.5, 4, 400)
    exact = torch.digamma(x.double())
    torch.testing.assert_close(_digamma(x).double(), exact, rtol=2e-6, atol=2e-6)


def test_gradients_are_the_slopes():
    assert torch.autograd.gradcheck(log_beta, (ALPHAS.requires_grad_(), BETAS.requires_grad_()))
