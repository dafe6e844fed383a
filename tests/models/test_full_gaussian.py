"""The Gaussian with full covariance, beside torch's."""

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from vaesearch.models.latents import DiagonalGaussian, FullGaussian


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


def gaussian(generator, shape=(7, 3)):
    mean = torch.empty(shape, dtype=torch.float64).normal_(generator=generator)
    factor = torch.empty(*shape, shape[-1], dtype=torch.float64).normal_(generator=generator)
    diagonal = factor.diagonal(dim1=1, dim2=2).abs() + 0.1
    return FullGaussian(mean, factor.tril(-1) + torch.diag_embed(diagonal))


def oracle(own):
    return MultivariateNormal(own.mean, scale_tril=own.scale_tril)


def test_divergences_entropy_and_covariance_are_those_of_torch(generator):
    first, second = gaussian(generator), gaussian(generator)
    standard = MultivariateNormal(torch.zeros_like(first.mean), torch.eye(3).double())
    for own, expected in (
        (first.kl_to(second), kl_divergence(oracle(first), oracle(second))),
        (second.kl_to(first), kl_divergence(oracle(second), oracle(first))),
        (first.kl_to_standard(), kl_divergence(oracle(first), standard)),
        (first.entropy(), oracle(first).entropy()),
        (first.covariance(), oracle(first).covariance_matrix),
    ):
        torch.testing.assert_close(own, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("leading", [(), (4,), (2, 4)])
def test_log_prob_is_that_of_torch(generator, leading):
    own = gaussian(generator)
    z = torch.empty(*leading, 7, 3, dtype=torch.float64).normal_(generator=generator)
    torch.testing.assert_close(own.log_prob(z), oracle(own).log_prob(z))


@pytest.mark.parametrize("count", [None, 4])
def test_a_sample_comes_with_its_log_density(generator, count):
    own = gaussian(generator)
    z, log_prob = own.rsample_and_log_prob(generator, count)
    torch.testing.assert_close(log_prob, oracle(own).log_prob(z))


def test_samples_have_the_mean_and_the_covariance(generator):
    own = gaussian(generator, (2, 3))
    z = own.rsample(generator, 40_000)
    error = 4 * own.covariance().diagonal(dim1=1, dim2=2).amax() / 200
    torch.testing.assert_close(z.mean(dim=0), own.mean, rtol=0, atol=error)
    for image in range(2):
        found = torch.cov(z[:, image].t())
        torch.testing.assert_close(found, own.covariance()[image], rtol=0, atol=2 * error)


def test_without_correlations_it_is_the_diagonal_gaussian(generator):
    mean, log_variance = (
        torch.empty(7, 3, dtype=torch.float64).normal_(generator=generator) for _ in range(2)
    )
    plain = DiagonalGaussian(mean, log_variance)
    full = FullGaussian(mean, torch.diag_embed(torch.exp(0.5 * log_variance)))
    z = torch.empty(7, 3, dtype=torch.float64).normal_(generator=generator)
    torch.testing.assert_close(full.log_prob(z), plain.log_prob(z))
    torch.testing.assert_close(full.kl_to_standard(), plain.kl_to_standard())
    torch.testing.assert_close(full.entropy(), plain.entropy())
