import math
from itertools import pairwise

import pytest
import torch
from linear_gaussian import LinearGaussianVAE

from vaesearch.errors import InputError
from vaesearch.evaluation import importance, iwae
from vaesearch.evaluation.importance import iwae_under
from vaesearch.evaluation.joint import MANY, Joint
from vaesearch.models.latents import DiagonalGaussian, FullGaussian
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.priors import StandardNormal
from vaesearch.models.vae import build_model
from vaesearch.objectives import elbo_terms
from vaesearch.objectives.importance import decode_all, draw
from vaesearch.records import TrialSettings

DIMS = 3


@pytest.fixture
def linear():
    return LinearGaussianVAE("full-covariance")


@pytest.fixture
def x(linear):
    return linear.images(200, torch.Generator().manual_seed(1))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def exact(linear, x):
    posterior = linear.exact_posterior(x)
    return FullGaussian(posterior.mean, posterior.scale_tril)


def count_decoded(model):
    """Rows that the decoder is given from now on, one entry for each call."""
    rows = []
    model.decoder.register_forward_pre_hook(lambda _, arguments: rows.append(len(arguments[0])))
    return rows


def test_bound_rises_to_the_evidence(linear, x):
    bounds = [iwae(linear, x, generator(k), k) for k in (1, 10, 100, 1000)]
    for looser, tighter in pairwise(bounds):
        gain = tighter - looser
        assert gain.mean() > -3 * gain.std() / len(x) ** 0.5
    gaps = linear.log_evidence(x) - torch.stack(bounds)
    assert gaps[0].mean() > 0.3
    assert gaps[-1].mean().abs() < 0.02


def test_5000_samples_of_a_diagonal_posterior_are_within_a_fiftieth_of_a_nat():
    linear = LinearGaussianVAE()
    x = linear.images(50, generator(1))
    error = iwae(linear, x, generator(), 5000) - linear.log_evidence(x)
    assert error.mean().abs() < 0.02
    assert error.abs().max() < 0.2


def test_bound_is_below_the_evidence_by_the_divergence_from_the_posterior(linear, x):
    """In closed form: log p(x) - ELBO = KL(q(z|x) || p(z|x))."""
    q = linear.encode(x)
    centred = (x.flatten(1) - linear.bias - q.mean @ linear.weight.T).square().sum(dim=1)
    variance = linear.likelihood(x).log_variance.exp()
    spread = torch.einsum("pd,bde,pe->b", linear.weight, q.covariance(), linear.weight)
    density = -6 * torch.log(2 * math.pi * variance) - (centred + spread) / (2 * variance)
    elbo = density - q.kl_to_standard()
    torch.testing.assert_close(
        linear.log_evidence(x) - elbo, linear.gap(x), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("samples", [1, 7])
def test_exact_posterior_has_equal_weights(linear, x, samples):
    """Every weight is p(x) itself, with one sample as with many."""
    found = iwae(linear, x, generator(), samples, proposal=exact(linear, x))
    torch.testing.assert_close(found, linear.log_evidence(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("samples", [1, 7, 50])
def test_as_many_samples_as_asked_for_in_parts(linear, x, monkeypatch, samples):
    monkeypatch.setattr(importance, "IMAGES", 90)
    monkeypatch.setattr(importance, "LATENTS", 4 * 90 * DIMS + 1)
    rows = count_decoded(linear)
    found = iwae(linear, x, generator(), samples)
    assert sum(rows) == samples * len(x)
    g, expected = generator(), []
    for block in x.split(90):
        size = 4 if len(block) == 90 else 18  # of the same number of latents
        weights = [
            draw(linear, block, g, min(size, samples - start)).log_weights()
            for start in range(0, samples, size)
        ]
        expected.append(torch.cat(weights).exp().mean(dim=0).log())
    torch.testing.assert_close(found, torch.cat(expected))


def test_one_sample_is_the_monte_carlo_bound_bit_by_bit(linear, x):
    q = linear.encode(x)
    z, log_q = q.rsample_and_log_prob(generator(3), 1)
    log_prior = linear.latent_prior().log_prob(z[0])
    found = iwae(linear, x, generator(3), 1)
    assert torch.equal(found, linear.decode(z[0]).log_prob(x) - (log_q[0] - log_prior))
    assert torch.equal(found, draw(linear, x, generator(3), 1).log_weights()[0])


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("as_mass", [False, True])
def test_chunks_change_nothing(linear, x, chunk, as_mass):
    rows = count_decoded(linear)
    few = x[:20]
    whole = iwae(linear, few, generator(), 30, as_mass=as_mass, chunk=600)
    found = iwae(linear, few, generator(), 30, as_mass=as_mass, chunk=chunk)
    torch.testing.assert_close(found, whole, rtol=1e-12, atol=1e-12)
    assert rows[0] == 600
    assert max(rows[1:]) <= chunk
    assert sum(rows[1:]) == 600


@pytest.mark.parametrize(
    ("decoder", "prior"),
    [("deconv", "standard"), ("mlp", "standard"), ("mlp", "vampprior:7"), ("mlp", "ladder:2")],
)
def test_chunks_change_rounding_only_in_float32(decoder, prior):
    posterior = "ladder:2" if prior == "ladder:2" else "gaussian"
    settings = TrialSettings(
        decoder, encoder="conv", latent_dim=4, width=1 / 32, likelihood="discretized-normal",
        prior=prior, posterior=posterior,
    )  # fmt: skip
    model = build_model(settings, (1, 8, 8)).eval().requires_grad_(False)
    images = torch.randint(0, 256, (9, 1, 8, 8), generator=generator()) / 255
    bounds = [iwae(model, images, generator(), 20, chunk=chunk) for chunk in (1, 7, 1000)]
    for found in bounds[1:]:
        torch.testing.assert_close(found, bounds[0], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("likelihood", ["discretized-normal", "gaussian:0.04", "bernoulli"])
def test_chunks_change_rounding_only_of_masses_with_many_samples(likelihood):
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=4, width=1 / 32, likelihood=likelihood
    )
    model = build_model(settings, (1, 8, 8)).eval().requires_grad_(False)
    levels = 2 if likelihood == "bernoulli" else 256
    images = torch.randint(0, levels, (3, 1, 8, 8), generator=generator()) / (levels - 1)
    bounds = [
        iwae(model, images, generator(), MANY, as_mass=True, chunk=chunk)
        for chunk in (1, 7, 150, 1000)
    ]
    for found in bounds[1:]:
        torch.testing.assert_close(found, bounds[0], rtol=1e-6, atol=1e-5)
    g = generator()
    z, log_q = model.encode(images).rsample_and_log_prob(g, MANY)
    plain = decode_all(
        model.double(), images.double(), None, z.double(), log_q, as_mass=True
    ).log_weights()
    expected = (plain.logsumexp(dim=0) - math.log(MANY)).float()
    torch.testing.assert_close(bounds[0], expected, rtol=1e-5, atol=1e-5)


def test_noise_does_not_depend_on_the_chunk_and_no_more_of_it_is_taken(linear, x):
    states = []
    for chunk in (3, 500):
        g = generator()
        iwae(linear, x, g, 4, chunk=chunk)
        states.append(g.get_state())
    assert torch.equal(*states)


def test_same_generator_same_figures(linear, x):
    first, again, other = (iwae(linear, x, generator(seed), 5) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_another_prior_is_scored_at_the_same_samples(linear, x):
    """Only log p(z) changes (Lin et al. 2019, table 3)."""
    means = torch.tensor([[0.5] * 3, [-0.2] * 3])
    mixture = FullGaussianMixture(torch.tensor([0.3, 0.7]), means, torch.eye(3).expand(2, 3, 3))
    plain, under = iwae_under(linear, x, generator(), 6, [None, mixture])
    assert torch.equal(plain, iwae(linear, x, generator(), 6))
    assert torch.equal(under, iwae(linear, x, generator(), 6, prior=mixture))
    z, log_q = linear.encode(x).rsample_and_log_prob(generator(), 6)
    log_likelihood = Joint(linear, x).log_likelihood(z)
    for found, prior in ((plain, StandardNormal(DIMS)), (under, mixture)):
        log_weights = log_likelihood + prior.log_prob(z) - log_q
        torch.testing.assert_close(found, log_weights.exp().mean(dim=0).log())


def test_proposal_near_the_posterior_is_a_better_one(linear, x):
    near = linear.exact_posterior(x)
    variances = linear.precision.diagonal().reciprocal().log().expand(len(x), DIMS)
    proposal = DiagonalGaussian(near.mean, variances)
    gap = linear.log_evidence(x) - iwae(linear, x, generator(), 10)
    nearer = linear.log_evidence(x) - iwae(linear, x, generator(), 10, proposal=proposal)
    assert 0 <= nearer.mean() < 0.5 * gap.mean()


def test_one_sample_and_the_closed_divergence_agree(linear, x):
    sampled = iwae(linear, x, generator(), 1)
    closed = elbo_terms(linear, x, generator(1)).elbo
    difference = sampled - closed
    assert difference.mean().abs() < 4 * difference.std() / len(x) ** 0.5


def test_mass_is_that_of_the_levels():
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=2, width=1 / 32, likelihood="gaussian"
    )
    model = build_model(settings, (1, 8, 8)).eval()
    x = torch.randint(0, 256, (4, 1, 8, 8), generator=generator()) / 255
    gain = iwae(model, x, generator(), 1, as_mass=True) - iwae(model, x, generator(), 1)
    # A level's cell is 1 / 255 wide, and the two at the ends are open.
    assert (gain.mean() / 64).item() == pytest.approx(-math.log(255), abs=0.2)
    assert not gain.requires_grad


def test_progress_ends_at_the_whole(linear, x, monkeypatch):
    monkeypatch.setattr(importance, "IMAGES", 150)
    monkeypatch.setattr(importance, "LATENTS", 150 * DIMS * 2)
    shares = []
    iwae_under(linear, x, generator(), 4, [None], progress=shares.append)
    assert shares == [0.25, 0.5, 1.0]


@pytest.mark.parametrize("samples", [0, -2, 1.5])
def test_samples_must_be_a_whole_number_above_zero(linear, x, samples):
    with pytest.raises(InputError, match="must be a whole number, at least 1, not"):
        iwae(linear, x, generator(), samples)


@pytest.mark.parametrize("chunk", [-1, 0, 2.5])
def test_chunk_must_be_a_whole_number_above_zero(linear, x, chunk):
    with pytest.raises(InputError, match="pictures decoded at once must be a whole number"):
        iwae(linear, x, generator(), 2, chunk=chunk)
