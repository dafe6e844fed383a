"""The closed forms of the oracle itself, against each other and against integrals."""

import pytest
import torch
from linear_gaussian import LinearGaussianVAE
from torch.distributions import MultivariateNormal, kl_divergence

from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.subject import Subject
from vaesearch.objectives import elbo_terms


@pytest.fixture
def model():
    return LinearGaussianVAE()


@pytest.fixture
def x(model):
    return model.images(50, torch.Generator().manual_seed(1))


def test_evidence_posterior_and_joint_agree(model, x):
    """log p(x) = log p(x, z) - log p(z|x) at any z."""
    z = torch.randn(4, 50, 3, generator=torch.Generator().manual_seed(2)).double()
    found = Joint(model, x)(z) - model.exact_posterior(x).log_prob(z)
    torch.testing.assert_close(found, model.log_evidence(x).expand(4, 50), rtol=0, atol=1e-9)


def test_gap_of_the_best_diagonal_gaussian_is_the_approximation_gap(x):
    model = LinearGaussianVAE(error=0.0, widening=0.0)
    torch.testing.assert_close(
        model.gap(x), torch.full_like(model.gap(x), model.approximation_gap), rtol=0, atol=1e-9
    )
    assert model.approximation_gap > 0.1


def test_no_other_diagonal_gaussian_is_better(model, x):
    exact = model.exact_posterior(x)
    for factor in (0.9, 1.1):
        variances = factor / model.precision.diagonal()
        other = MultivariateNormal(exact.mean, variances.diag())
        assert (kl_divergence(other, exact) > model.approximation_gap + 1e-3).all()


def test_orthogonal_columns_leave_no_approximation_gap():
    assert LinearGaussianVAE(diagonal=True).approximation_gap == pytest.approx(0, abs=1e-12)


def test_bound_is_the_evidence_less_the_gap(model, x):
    many = x.repeat_interleave(400, dim=0)
    found = elbo_terms(model, many, torch.Generator().manual_seed(3)).elbo.view(50, 400)
    wanted = model.log_evidence(x) - model.gap(x)
    errors = found.std(dim=1) / 20
    assert ((found.mean(dim=1) - wanted).abs() < 5 * errors).all()


@pytest.mark.parametrize(
    "posterior", ["gaussian", "full-covariance", "planar:2", "radial:2", "iaf:2", "realnvp:2"]
)
def test_every_family_starts_near_the_diagonal_gaussian(posterior):
    model = LinearGaussianVAE(posterior, error=0.0)
    subject = Subject(model, model.data(20))
    x = next(subject.batches())
    assert (x > 0).all()
    assert (x < 1).all()
    away = model.encode(x).mean - model.exact_posterior(x).mean
    assert away.abs().mean() < 0.3
