"""Latents in a hierarchy: densities, shared inference, and what is refused."""

import math

import pytest
import torch
from torch import nn

from vaesearch import catalogue
from vaesearch.compatibility import check_combination
from vaesearch.errors import InputError
from vaesearch.models.ladder import LadderGaussian, LadderPosterior, LadderPrior, group_sizes
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.vae import build_model
from vaesearch.objectives import Loss
from vaesearch.records import TrialSettings

SHAPE = (1, 8, 8)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(6)


def prior_of(latent_dim, levels, generator):
    """A prior whose groups depend on those above, as after training."""
    prior = LadderPrior(levels, latent_dim=latent_dim, shape=SHAPE)
    for parameter in prior.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return prior


def posterior_of(prior, images, generator):
    size = sum(prior.sizes)
    mean, log_precision = torch.randn(2, images, size, generator=generator)
    return LadderGaussian(prior, mean, log_precision)


@pytest.mark.parametrize("levels", [2, 3, 4])
@pytest.mark.parametrize("count", [None, 5])
def test_density_of_a_sample_is_the_one_that_came_with_it(levels, count, generator):
    posterior = posterior_of(prior_of(7, levels, generator), 3, generator)
    z, log_q = posterior.rsample_and_log_prob(generator, count)
    leading = () if count is None else (count,)
    assert z.shape == (*leading, 3, 7)
    assert log_q.shape == (*leading, 3)
    torch.testing.assert_close(posterior.log_prob(z), log_q, atol=1e-4, rtol=1e-5)


def plane(reach=12.0, points=481):
    axis = torch.linspace(-reach, reach, points)
    z = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    return z, (axis[1] - axis[0]).item() ** 2


def test_prior_integrates_to_one_and_samples_follow_it(generator):
    distribution = prior_of(2, 2, generator)(None)
    z, cell = plane()
    density = distribution.log_prob(z).exp() * cell
    assert density.sum().item() == pytest.approx(1, abs=1e-4)
    sampled = distribution.sample(40_000, generator)
    for index in (0, 1):
        mean = (density * z[..., index]).sum().item()
        square = (density * z[..., index] ** 2).sum().item()
        assert sampled[:, index].mean().item() == pytest.approx(mean, abs=0.05)
        assert sampled[:, index].square().mean().item() == pytest.approx(square, rel=0.05)


def test_posterior_integrates_to_one(generator):
    posterior = posterior_of(prior_of(2, 2, generator), 1, generator)
    z, cell = plane()
    total = (posterior.log_prob(z.unsqueeze(-2)).exp() * cell).sum()
    assert total.item() == pytest.approx(1, abs=1e-4)


def test_posterior_is_the_prior_where_the_encoder_says_nothing(generator):
    prior = prior_of(6, 3, generator)
    posterior = LadderGaussian(prior, torch.randn(4, 6), torch.full((4, 6), -math.inf))
    z, log_q = posterior.rsample_and_log_prob(generator)
    torch.testing.assert_close(log_q, prior(None).log_prob(z), atol=1e-5, rtol=1e-5)


def test_posterior_is_the_encoder_s_where_that_is_sure(generator):
    prior = prior_of(6, 3, generator)
    said = torch.randn(4, 6, generator=generator)
    posterior = LadderGaussian(prior, said, torch.full((4, 6), 30.0))
    torch.testing.assert_close(posterior.rsample(generator), said, atol=1e-4, rtol=0)
    torch.testing.assert_close(posterior.mean, said, atol=1e-4, rtol=0)


def test_precisions_add_and_weigh_the_means(generator):
    """The density is the product of both Gaussians, but for a factor that z does not change."""
    prior = prior_of(4, 2, generator)
    mean, log_precision = torch.randn(2, 1, 4, generator=generator)
    posterior = LadderGaussian(prior, mean, log_precision)
    below = torch.randn(50, 1, 2, generator=generator)
    z = torch.cat([torch.randn(1, 1, 2, generator=generator).expand(50, 1, 2), below], dim=-1)
    encoder = DiagonalGaussian(mean, -log_precision)
    product = prior(None).log_prob(z) + encoder.log_prob(z)
    factor = product - posterior.log_prob(z)
    torch.testing.assert_close(factor, factor[:1].expand_as(factor), atol=1e-4, rtol=0)


def test_reconstruction_follows_the_means_from_the_top(generator):
    posterior = posterior_of(prior_of(5, 2, generator), 3, generator)
    top = posterior._conditional(0, posterior.message[:, :0])
    below = posterior._conditional(1, top.mean)
    torch.testing.assert_close(posterior.mean, torch.cat([top.mean, below.mean], dim=1))


def test_prior_starts_as_the_standard_normal(generator):
    distribution = LadderPrior(3, latent_dim=6, shape=SHAPE)(None)
    z = torch.randn(9, 6, generator=generator)
    normal = torch.distributions.Normal(0, 1).log_prob(z).sum(-1)
    torch.testing.assert_close(distribution.log_prob(z), normal)


@pytest.mark.parametrize("levels", [2, 3, 4])
@pytest.mark.parametrize("decoder", ["mlp", "ladder"])
def test_model_trains_prior_and_posterior_together(levels, decoder, generator):
    settings = TrialSettings(
        f"ladder:{levels}" if decoder == "ladder" else decoder, encoder="mlp", width=1 / 16,
        posterior=f"ladder:{levels}", prior=f"ladder:{levels}", latent_dim=5,
    )  # fmt: skip
    model = build_model(settings, SHAPE)
    x = torch.rand(16, *SHAPE, generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = Loss(settings)(model, x, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert all(p.grad.any() for p in model.prior.parameters())
    assert sum(losses[-5:]) < sum(losses[:5])
    assert model.sample(3, generator).shape == (3, *SHAPE)
    names = set(model.state_dict())
    assert not any(name.startswith("posterior.prior") for name in names)


def test_groups_share_the_latents_out():
    assert group_sizes(10, 3) == (4, 3, 3)
    assert group_sizes(4, 4) == (1, 1, 1, 1)


@pytest.mark.parametrize("levels", [0, 1, 5, -2, 2.5, "deep", True])
@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        ("priors", {"latent_dim": 8, "shape": SHAPE}),
        ("posteriors", {"latent_dim": 8, "features": 3}),
        ("decoders", {"latent_dim": 8, "shape": SHAPE, "outputs": 1}),
    ],
)
def test_number_of_levels_is_two_to_four(axis, sizes, levels):
    with pytest.raises(InputError, match="2 to 4 levels"):
        catalogue.build(axis, "ladder", levels=levels, **sizes)


def test_a_level_needs_a_latent():
    with pytest.raises(InputError, match="not --latent-dim 2"):
        LadderPosterior(3, features=4, latent_dim=2)


@pytest.mark.parametrize(
    ("posterior", "prior", "said"),
    [
        ("ladder", "standard", "--prior ladder:3"),
        ("ladder:2", "standard", "--prior ladder:2"),
        ("ladder:2", "ladder", "same number of levels"),
        ("ladder", "ladder:levels=4", "use --prior ladder:3"),
    ],
)
def test_a_ladder_needs_its_own_prior(posterior, prior, said):
    settings = TrialSettings("mlp", posterior=posterior, prior=prior)
    with pytest.raises(InputError, match=said):
        check_combination(settings, "8bit")


@pytest.mark.parametrize(
    ("posterior", "prior"),
    [("ladder", "ladder:3"), ("ladder:levels=2", "ladder:2"), ("gaussian", "ladder:2"),
     ("ladder:2", "my.priors:Own")],
)  # fmt: skip
def test_what_goes_together(posterior, prior):
    check_combination(TrialSettings("mlp", posterior=posterior, prior=prior), "8bit")
