import pytest
import torch
from scipy import stats
from torch.distributions import Bernoulli, Independent
from torch.nn import functional as F

from vaesearch.models.pixels import BernoulliPixels, BinomialPixels


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


def test_bernoulli_is_cross_entropy_summed_over_pixels(generator):
    logits = torch.empty(4, 3, 5, 5, dtype=torch.float64).normal_(generator=generator)
    x = torch.empty_like(logits).uniform_(generator=generator)
    expected = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum((1, 2, 3))
    torch.testing.assert_close(BernoulliPixels(logits).log_prob(x), expected)
    binary = x.round()
    exact = Independent(Bernoulli(logits=logits), 3).log_prob(binary)
    torch.testing.assert_close(BernoulliPixels(logits).log_mass(binary), exact)


@pytest.mark.parametrize("logit", [-100.0, 0.0, 100.0])
def test_bernoulli_sums_to_one_and_is_finite(logit):
    logits = torch.full((2, 1, 1, 1), logit, requires_grad=True)
    log_mass = BernoulliPixels(logits).log_mass(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1))
    log_mass.sum().backward()
    assert log_mass.isfinite().all()
    assert logits.grad.isfinite().all()
    assert log_mass.exp().sum().item() == pytest.approx(1)


@pytest.mark.parametrize("logit", [-30.0, -2.0, 0.0, 0.7, 5.0])
def test_binomial_is_that_of_scipy(logit):
    logits = torch.full((256, 1, 1, 1), logit, dtype=torch.float64)
    levels = torch.arange(256)
    exact = stats.binom(255, torch.sigmoid(logits[0]).item())
    found = BinomialPixels(logits).log_mass((levels.double() / 255).view(-1, 1, 1, 1))
    is_likely = torch.tensor(exact.pmf(levels)) > 1e-290
    expected = torch.tensor(exact.logpmf(levels))
    torch.testing.assert_close(found[is_likely], expected[is_likely], rtol=1e-8, atol=1e-8)
    assert BinomialPixels(logits).standard_deviation[0].item() == pytest.approx(exact.std() / 255)


def test_binomial_reads_the_levels_of_real_images():
    """A level divided by 255 in single precision is not quite k / 255."""
    x = (torch.arange(256).byte().float() / 255).view(-1, 1, 1, 1)
    logits = torch.full_like(x, 0.3)
    single, double = BinomialPixels(logits).log_mass(x), BinomialPixels(logits.double()).log_mass(
        torch.arange(256).double().view(-1, 1, 1, 1) / 255
    )  # fmt: skip
    torch.testing.assert_close(single.double(), double, rtol=1e-5, atol=1e-3)
