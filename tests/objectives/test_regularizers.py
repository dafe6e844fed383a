import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.latents import DiagonalGaussian, FullGaussian
from vaesearch.models.priors import StandardNormal
from vaesearch.objectives import Loss, elbo_terms
from vaesearch.objectives.regularizers.discrepancy import squared_mmd
from vaesearch.objectives.regularizers.disentangling import covariance_of
from vaesearch.objectives.regularizers.divergences import (
    geometric_jensen_shannon,
    jensen_shannon,
)
from vaesearch.objectives.terms import Terms

NAMES = [e.name for e in catalogue.REGULARIZERS]


def gaussian(seed, shape=(5, 3)):
    generator = torch.Generator().manual_seed(seed)
    return DiagonalGaussian(*(torch.randn(shape, generator=generator).double() for _ in range(2)))


def terms_of(posterior, z=None):
    z = posterior.mean if z is None else z
    prior = StandardNormal(z.shape[1])
    kl = posterior.kl_to_standard()
    return Terms(torch.zeros(len(z)), kl, posterior, prior, z, None, None)


def cost(spec, terms, seed=0):
    regularizer = catalogue.build("regularizers", spec)
    return regularizer(terms, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("spec", NAMES)
def test_beta_and_annealing_weigh_all_of_it(spec, settings, model_of, images, draw_from):
    model, settings = model_of(), replace(settings, regularizer=spec, annealing="kl:4")
    values = [
        Loss(replace(settings, beta=beta))(model, images, draw_from(), progress).item()
        for beta, progress in ((0.0, 9.0), (1.0, 9.0), (3.0, 9.0), (3.0, 1.0))
    ]
    reconstruction, plain, weighed, early = values
    assert plain != pytest.approx(reconstruction, rel=1e-5)
    assert weighed - reconstruction == pytest.approx(3 * (plain - reconstruction), rel=1e-2)
    assert early - reconstruction == pytest.approx(0.75 * (plain - reconstruction), rel=2e-2)


@pytest.mark.parametrize("spec", NAMES)
def test_cost_is_per_image_and_trains_the_encoder(spec, model_of, images, draw_from):
    model = model_of()
    found = catalogue.build("regularizers", spec)(
        elbo_terms(model, images, draw_from()), draw_from()
    )
    assert found.shape == (6,)
    found.sum().backward()
    for p in model.encoder.parameters():
        assert p.grad.isfinite().all()
    assert model.posterior.mean.weight.grad.abs().sum() > 0


def test_free_bits_are_free_by_latent_of_the_batch():
    # Mean KL by latent: 0.5 * mean^2 with variance 1.
    means = torch.tensor([[0.2, 2.0, 1.0], [0.2, 0.0, 1.2]], requires_grad=True)
    terms = terms_of(DiagonalGaussian(means, torch.zeros(2, 3)))
    expected = 0.7 + (0.5 * 4 + 0) / 2 + 0.7  # the third is 0.61: free as well
    found = cost("free-bits:0.7", terms)
    torch.testing.assert_close(found, torch.full((2,), expected))
    found.mean().backward()
    # No gradient below the threshold; above it, that of the KL for each image, however small.
    torch.testing.assert_close(means.grad, torch.tensor([[0, 1.0, 0], [0, 0, 0]]))


def test_no_free_bits_are_the_mean_kl():
    terms = terms_of(gaussian(0))
    torch.testing.assert_close(cost("free-bits:0", terms), terms.kl.mean().expand(5))


def literal_mmd(x, y):
    """The sums as they are written."""
    scale = 2 * x.shape[1]

    def kernel(a, b):
        return scale / (scale + sum((a - b) ** 2))

    n, m = len(x), len(y)
    same_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    same_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    other = sum(kernel(a, b) for a in x for b in y)
    return same_x / (n * (n - 1)) + same_y / (m * (m - 1)) - 2 * other / (n * m)


def test_mmd_is_the_literal_double_sum():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.normal(1, 2, size=(9, 3))
    found = squared_mmd(torch.tensor(x), torch.tensor(y)).item()
    assert found == pytest.approx(literal_mmd(x, y), rel=1e-12)


def test_mmd_has_mean_zero_for_equal_laws_and_is_above_for_others():
    generator = torch.Generator().manual_seed(0)
    equal, moved, wide = [], [], []
    for _ in range(600):
        x, y, z = (torch.randn(20, 4, generator=generator) for _ in range(3))
        equal.append(squared_mmd(x, y))
        moved.append(squared_mmd(x, z + 0.5))
        wide.append(squared_mmd(x, 2 * z))
    equal, moved, wide = (torch.stack(v) for v in (equal, moved, wide))
    error = equal.std() / 600**0.5
    assert equal.mean().abs() < 3 * error
    assert (equal < 0).float().mean() > 0.3  # unbiased, so not bound to be positive
    assert moved.mean() > 10 * error
    assert wide.mean() > 10 * error


def test_mmd_is_between_codes_and_as_many_of_the_prior():
    terms = terms_of(gaussian(1), z=torch.randn(5, 3, generator=torch.Generator().manual_seed(8)))
    drawn = terms.prior.sample(5, torch.Generator().manual_seed(4))
    expected = 10 * squared_mmd(terms.z, drawn)
    torch.testing.assert_close(cost("mmd", terms, seed=4), expected.expand(5))
    torch.testing.assert_close(cost("mmd:3", terms, seed=4), 0.3 * expected.expand(5))


def test_infovae_goes_from_the_elbo_to_mmd_alone():
    q = gaussian(1)
    terms = terms_of(DiagonalGaussian(q.mean.float(), q.log_variance.float()))
    mmd = cost("mmd:1", terms)
    torch.testing.assert_close(cost("infovae:1,0", terms), terms.kl)
    torch.testing.assert_close(cost("infovae:7,1", terms), 7 * mmd)
    torch.testing.assert_close(cost("infovae:7,0.25", terms), 0.75 * terms.kl + 6.25 * mmd)


@pytest.mark.parametrize("skew", [0.1, 0.5, 0.8])
def test_geometric_jensen_shannon_is_that_of_torch(skew):
    q, p = gaussian(0), gaussian(1)
    first, second = (Normal(g.mean, (0.5 * g.log_variance).exp()) for g in (q, p))
    precision = skew / first.variance + (1 - skew) / second.variance
    mean = (skew * first.mean / first.variance + (1 - skew) * second.mean / second.variance) / (
        precision
    )
    middle = Normal(mean, precision**-0.5)
    expected = (1 - skew) * kl_divergence(first, middle) + skew * kl_divergence(second, middle)
    torch.testing.assert_close(geometric_jensen_shannon(q, p, skew), expected.sum(dim=1))


def test_geometric_middle_is_proportional_to_the_weighted_product():
    """log q^a p^(1-a) and the log-density of the middle differ by a constant."""
    q, p, skew = gaussian(0, (1, 1)), gaussian(1, (1, 1)), 0.3
    step, z = 0.01, torch.arange(-20, 20, 0.01, dtype=torch.float64).view(-1, 1, 1)
    log_product = skew * q.log_prob(z) + (1 - skew) * p.log_prob(z)
    log_middle = log_product - torch.logsumexp(log_product, 0) - math.log(step)
    divergences = [
        ((g.log_prob(z) - log_middle) * g.log_prob(z).exp()).sum() * step for g in (q, p)
    ]
    expected = (1 - skew) * divergences[0] + skew * divergences[1]
    assert geometric_jensen_shannon(q, p, skew).item() == pytest.approx(expected.item(), rel=1e-3)


def test_ends_of_the_geometric_jensen_shannon_are_the_two_divergences():
    q, p = gaussian(0), gaussian(1)
    assert (geometric_jensen_shannon(q, p, 0.0) - q.kl_to(p)).abs().max() < 1e-12
    assert (geometric_jensen_shannon(q, p, 1.0) - p.kl_to(q)).abs().max() < 1e-12
    for near, end in ((1e-6, q.kl_to(p)), (1 - 1e-6, p.kl_to(q))):
        torch.testing.assert_close(geometric_jensen_shannon(q, p, near), end, rtol=1e-3, atol=0)
    # With the skew goes the order: swapping both changes nothing.
    torch.testing.assert_close(
        geometric_jensen_shannon(q, p, 0.3), geometric_jensen_shannon(p, q, 0.7)
    )


def test_js_compares_the_posterior_with_the_prior():
    terms = terms_of(gaussian(0))
    torch.testing.assert_close(cost("js:0", terms), terms.kl)
    zeros = torch.zeros_like(terms.z)
    reverse = DiagonalGaussian(zeros, zeros).kl_to(terms.posterior)
    torch.testing.assert_close(cost("js:1", terms), reverse)
    assert (cost("js", terms) < 0.5 * (terms.kl + reverse)).all()


def test_monte_carlo_jensen_shannon_is_symmetric_and_below_ln_2():
    generator = torch.Generator().manual_seed(0)
    q, p = Normal(torch.tensor(1.5).double(), 0.5), Normal(torch.tensor(0.0).double(), 1.0)
    at_q, at_p = (
        (d.mean + d.stddev * torch.randn(100_000, generator=generator).double()) for d in (q, p)
    )
    ratio = [q.log_prob(z) - p.log_prob(z) for z in (at_q, at_p)]
    draws = jensen_shannon(*ratio)
    assert torch.equal(draws, jensen_shannon(-ratio[1], -ratio[0]))
    grid = torch.linspace(-9, 9, 20_001).double()
    densities = [d.log_prob(grid).exp() for d in (q, p)]
    middle = sum(densities) / 2
    exact = sum(0.5 * (d * (d / middle).log()).nansum() * 18 / 20_000 for d in densities)
    error = draws.std() / 100_000**0.5
    assert 0.1 < exact < math.log(2)
    assert (draws.mean() - exact).abs() < 3 * error
    assert (draws <= math.log(2)).all()


def test_monte_carlo_jensen_shannon_at_its_ends():
    zeros = torch.zeros(1000, 3)
    alike = terms_of(DiagonalGaussian(zeros, zeros), torch.randn(1000, 3))
    assert cost("js-mc", alike).abs().max() < 1e-6
    far = DiagonalGaussian(zeros + 60, zeros)
    torch.testing.assert_close(
        cost("js-mc", terms_of(far)), torch.full((1000,), math.log(2)), rtol=1e-4, atol=0
    )


def test_js_mc_takes_the_estimated_log_density_where_there_is_one():
    q = gaussian(0)
    z, log_q = q.rsample_and_log_prob(torch.Generator().manual_seed(1))
    terms = terms_of(q, z)
    torch.testing.assert_close(
        cost("js-mc", terms), cost("js-mc", replace(terms, log_q=log_q)), rtol=1e-6, atol=1e-9
    )


def numpy_penalty(covariance, off_diagonal, diagonal):
    off = covariance - np.diag(np.diag(covariance))
    return off_diagonal * (off**2).sum() + diagonal * ((np.diag(covariance) - 1) ** 2).sum()


def test_dip_one_is_the_covariance_of_the_means():
    q = gaussian(0, (40, 3))
    expected = numpy_penalty(np.cov(q.mean.numpy().T, bias=True), 3, 5)
    torch.testing.assert_close(cost("dip-i:3,5", terms_of(q)), q.kl_to_standard() + expected)


@pytest.mark.parametrize("is_full", [False, True])
def test_dip_two_is_the_covariance_of_all_codes(is_full):
    q = gaussian(0, (40, 3))
    if is_full:
        entries = torch.randn(40, 3, 3, generator=torch.Generator().manual_seed(3)).double()
        q = FullGaussian(q.mean, entries.tril(-1) + torch.diag_embed(q.log_variance.exp()))
    means, own = q.mean.numpy(), q.covariance().numpy()
    expected = numpy_penalty(np.cov(means.T, bias=True) + own.mean(axis=0), 2, 7)
    torch.testing.assert_close(cost("dip-ii:2,7", terms_of(q)), q.kl_to_standard() + expected)
    # The same as the covariance of very many codes.
    codes = q.rsample(torch.Generator().manual_seed(0), 20_000).flatten(0, 1)
    aggregate = covariance_of(q.mean) + q.covariance().mean(dim=0)
    torch.testing.assert_close(covariance_of(codes), aggregate, rtol=0.03, atol=0.03)


@pytest.mark.parametrize(
    "spec",
    [
        "free-bits:-1", "free-bits:x", "mmd:-1", "mmd:nan", "infovae:0.2,0.5", "infovae:1,2",
        "infovae:1,-1", "js:1.5", "js:-0.1", "dip-i:-1,1", "dip-ii:1,-1", "dip-i:a,b",
    ],
)  # fmt: skip
def test_weights_that_make_no_sense_are_refused(spec):
    with pytest.raises(InputError, match=r"must be a number, .* not"):
        catalogue.build("regularizers", spec)


@pytest.mark.parametrize("spec", ["kl:1", "js-mc:0.5", "mmd:1,2", "free-bits:bits=2"])
def test_arguments_that_are_not_taken_are_refused(spec):
    with pytest.raises(InputError, match=f"regularizer '{spec}'"):
        catalogue.build("regularizers", spec)
