"""The bound of a flow with an auxiliary variable."""

import math

import pytest
import torch

from vaesearch.models.latents import AuxiliaryFlow, DiagonalGaussian, Flow, has_density
from vaesearch.models.posteriors.realnvp import Coupling

MIX, DRAWS = 0.8, 200_000


@pytest.fixture
def joint():
    """z and v standard, then v := v, z := z + MIX v: a Gaussian whose marginals are known."""

    def of_z(z):
        return torch.zeros_like(z), torch.zeros_like(z)

    def of_v(v):
        return MIX * v, torch.zeros_like(v)

    base = DiagonalGaussian(torch.zeros(1, 2), torch.zeros(1, 2))
    return Flow(base, [Coupling(of_z, of_v)])


def exact(z):
    """r(v|z) is N(MIX z, 1) / (1 + MIX^2), as z is N(0, 1 + MIX^2)."""
    variance = torch.tensor(1 / (1 + MIX**2))
    return DiagonalGaussian(MIX * z * variance, variance.log().expand_as(z))


def test_with_the_exact_reverse_model_the_bound_is_the_density(joint):
    q = AuxiliaryFlow(joint, exact)
    z, log_q = q.rsample_and_log_prob(torch.Generator().manual_seed(0), 100)
    marginal = DiagonalGaussian(torch.zeros(1, 1), torch.tensor([[math.log(1 + MIX**2)]]))
    torch.testing.assert_close(log_q, marginal.log_prob(z))
    assert not has_density(q)


def test_with_any_other_it_is_above_by_their_divergence(joint):
    standard = DiagonalGaussian(torch.zeros(1, 1), torch.zeros(1, 1))
    generator = torch.Generator().manual_seed(0)
    z, loose = AuxiliaryFlow(joint, lambda z: standard).rsample_and_log_prob(generator, DRAWS)
    marginal = DiagonalGaussian(torch.zeros(1, 1), torch.tensor([[math.log(1 + MIX**2)]]))
    gap = (loose - marginal.log_prob(z)).mean().item()
    # KL(N(MIX z, 1) / (1 + MIX^2) || N(0, 1)) with z^2 on average 1 + MIX^2.
    variance = 1 / (1 + MIX**2)
    expected = 0.5 * (variance + MIX**2 * variance - 1 - math.log(variance))
    assert gap == pytest.approx(expected, abs=0.01)
