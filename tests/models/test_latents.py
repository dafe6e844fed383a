import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from vaesearch.models.latents import DiagonalGaussian


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


def gaussian(generator, shape=(7, 3)):
    mean, log_variance = (
        torch.empty(shape, dtype=torch.float64).normal_(generator=generator) for _ in range(2)
    )
    return DiagonalGaussian(mean, log_variance)


def oracle(own):
    return Independent(Normal(own.mean, (0.5 * own.log_variance).exp()), 1)


def three_errors(draws):
    """Three standard errors of the mean of ``draws``."""
    return 3 * draws.std(dim=0) / math.sqrt(len(draws))


def test_log_prob_is_that_of_torch(generator):
    own, value = gaussian(generator), gaussian(generator).mean
    torch.testing.assert_close(own.log_prob(value), oracle(own).log_prob(value))


def test_kl_to_standard_is_that_of_torch(generator):
    own = gaussian(generator)
    standard = Independent(Normal(torch.zeros_like(own.mean), 1.0), 1)
    expected = kl_divergence(oracle(own), standard)
    torch.testing.assert_close(own.kl_to_standard(), expected, rtol=1e-6, atol=1e-9)
    assert (own.kl_to_standard() > 0).all()
    zeros = torch.zeros(2, 3)
    assert (DiagonalGaussian(zeros, zeros).kl_to_standard() == 0).all()


@pytest.mark.parametrize("swap", [False, True])
def test_kl_is_that_of_torch_in_both_orders(generator, swap):
    first, second = gaussian(generator), gaussian(generator)
    if swap:
        first, second = second, first
    expected = kl_divergence(oracle(first), oracle(second))
    torch.testing.assert_close(first.kl_to(second), expected, rtol=1e-6, atol=1e-9)


def test_kl_is_not_symmetric():
    narrow = DiagonalGaussian(torch.zeros(1, 1), torch.full((1, 1), math.log(0.25)))
    wide = DiagonalGaussian(torch.ones(1, 1), torch.zeros(1, 1))
    # 1/2 [log(1 / .25) + (.25 + 1) / 1 - 1] and 1/2 [log(.25) + (1 + 1) / .25 - 1]
    assert narrow.kl_to(wide).item() == pytest.approx(0.5 * (math.log(4) + 0.25))
    assert wide.kl_to(narrow).item() == pytest.approx(0.5 * (-math.log(4) + 7))
    assert wide.kl_to(wide).item() == 0


def test_kl_to_standard_is_kl_to_a_standard_gaussian(generator):
    own = gaussian(generator)
    standard = DiagonalGaussian(torch.zeros_like(own.mean), torch.zeros_like(own.mean))
    torch.testing.assert_close(own.kl_to(standard), own.kl_to_standard())


def test_gradient_of_a_sample_is_the_analytic_one(generator):
    mean, log_scale = torch.tensor([0.7], requires_grad=True), torch.tensor([-0.4])
    log_scale.requires_grad_()
    grown = [p.expand(20_000, 1).clone() for p in (mean, log_scale)]
    for p in grown:
        p.retain_grad()
    DiagonalGaussian(grown[0], 2 * grown[1]).rsample(generator).square().sum().backward()
    expected = (2 * mean, 2 * torch.exp(2 * log_scale))  # of E[z^2] = mean^2 + scale^2
    for p, wanted in zip(grown, expected, strict=True):
        assert (p.grad.mean(dim=0) - wanted).abs() < three_errors(p.grad)


def test_samples_follow_the_generator(generator):
    own = gaussian(generator)
    first, again, other = (own.rsample(torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("count", [None, 4])
def test_a_sample_comes_with_its_log_density(generator, count):
    own = gaussian(generator)
    z, log_prob = own.rsample_and_log_prob(torch.Generator().manual_seed(1), count)
    assert z.shape == ((7, 3) if count is None else (4, 7, 3))
    assert torch.equal(z, own.rsample(torch.Generator().manual_seed(1), count))
    torch.testing.assert_close(log_prob, own.log_prob(z))
    torch.testing.assert_close(log_prob, oracle(own).log_prob(z))


def test_entropy_and_covariance_are_those_of_torch(generator):
    own = gaussian(generator)
    torch.testing.assert_close(own.entropy(), oracle(own).entropy())
    torch.testing.assert_close(own.covariance().diagonal(dim1=1, dim2=2), oracle(own).variance)


def test_kl_is_the_sum_over_dimensions(generator):
    own = gaussian(generator)
    torch.testing.assert_close(own.kl_by_dimension().sum(dim=1), own.kl_to_standard())
