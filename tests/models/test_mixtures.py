import math

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.mixtures import FullGaussianMixture, PosteriorMixture


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


@pytest.fixture
def posterior(generator):
    """Four far components in a plane."""
    means = torch.tensor([[9.0, 9.0], [-9.0, 9.0], [9.0, -9.0], [-9.0, -9.0]])
    return DiagonalGaussian(means, torch.rand(4, 2, generator=generator) - 1)


@pytest.fixture
def mixture(posterior):
    return PosteriorMixture(posterior, 4, torch.device("cpu"))


@pytest.mark.parametrize("leading", [(), (7,), (3, 7)])
def test_mixture_of_posteriors_is_that_of_torch(mixture, posterior, generator, leading):
    components = Independent(Normal(posterior.mean, (0.5 * posterior.log_variance).exp()), 1)
    oracle = MixtureSameFamily(Categorical(torch.ones(4)), components)
    z = 5 * torch.randn(*leading, 2, generator=generator)
    torch.testing.assert_close(mixture.log_prob(z), oracle.log_prob(z))


def test_samples_come_from_all_components_in_no_order(mixture, posterior, generator):
    z = mixture.sample(8000, generator)
    nearest = torch.cdist(z, posterior.mean).argmin(dim=1)
    shares = nearest.bincount(minlength=4) / 8000
    assert (shares - 0.25).abs().max() < 3 * math.sqrt(0.25 * 0.75 / 8000)
    for k in range(4):
        own = z[nearest == k]
        error = own.std(dim=0) / len(own) ** 0.5
        assert ((own.mean(dim=0) - posterior.mean[k]).abs() < 4 * error).all()
        spread = (0.5 * posterior.log_variance[k]).exp()
        torch.testing.assert_close(own.std(dim=0), spread, rtol=0.08, atol=0)
    assert len(z.unique(dim=0)) == 8000  # no draw is used twice
    assert 0.15 < (nearest[1:] == nearest[:-1]).float().mean() < 0.35


def test_samples_follow_the_generator_and_lead_to_the_components(posterior):
    posterior.mean.requires_grad_()
    mixture = PosteriorMixture(posterior, 4, torch.device("cpu"))
    first, again, other = (mixture.sample(9, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    first.sum().backward()
    assert posterior.mean.grad.sum().item() == pytest.approx(18)


@pytest.fixture
def fitted():
    rng = np.random.default_rng(1)
    codes = np.concatenate(
        [rng.normal(c, 0.5, (200, 3)) @ rng.normal(size=(3, 3)) for c in (0, 4)]
    )
    return GaussianMixture(2, reg_covar=1e-4, random_state=0).fit(codes)


@pytest.fixture
def gaussians(fitted):
    parameters = (fitted.weights_, fitted.means_, fitted.covariances_)
    return FullGaussianMixture(*map(torch.tensor, parameters))


def test_full_mixture_is_that_of_sklearn(fitted, gaussians, generator):
    z = 4 * torch.randn(60, 3, generator=generator)
    expected = torch.tensor(fitted.score_samples(z.double().numpy()))
    torch.testing.assert_close(gaussians.log_prob(z.double()), expected, rtol=1e-9, atol=1e-9)
    single = gaussians.log_prob(z.view(4, 15, 3))
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.flatten(), expected.float())


def test_full_mixture_draws_what_it_says(gaussians):
    z, again = (gaussians.sample(40_000, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(z, again)
    assert z.dtype == torch.float32
    weights = gaussians.weights[:, None]
    mean = (weights * gaussians.means).sum(dim=0)
    centred = gaussians.means - mean
    spread = (weights[:, :, None] * gaussians.covariances).sum(dim=0)
    spread = spread + (weights * centred).T @ centred
    errors = 4 * z.double().std(dim=0) / 200
    assert ((z.double().mean(dim=0) - mean).abs() < errors).all()
    torch.testing.assert_close(z.T.cov().double(), spread, rtol=0.05, atol=0.05)


def test_full_mixture_integrates_to_one():
    gaussians = FullGaussianMixture(
        torch.tensor([0.25, 0.75]),
        torch.tensor([[-1.0], [2.0]]),
        torch.tensor([[[0.25]], [[4.0]]]),
    )
    grid = torch.arange(-20, 20, 0.01, dtype=torch.float64)[:, None]
    assert gaussians.log_prob(grid).exp().sum().item() * 0.01 == pytest.approx(1, abs=1e-9)
