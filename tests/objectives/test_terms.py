import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal

from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.vae import build_model
from vaesearch.objectives import Loss, consistency, elbo_terms
from vaesearch.records import Arm, TrialSettings
from vaesearch.training import new_state, train_epoch

SETTINGS = TrialSettings(
    "mlp", encoder="mlp", latent_dim=3, width=1 / 32, likelihood="relaxed-bernoulli", batch_size=8
)
SHAPE = (1, 8, 8)


@pytest.fixture
def images():
    return torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(2))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def loss(model, x, g, alpha=0.0):
    return Loss(replace(SETTINGS, alpha=alpha))(model, x, g)


def model_of(**changes):
    return build_model(replace(SETTINGS, **changes), SHAPE)


def test_bound_is_the_mean_of_the_log_weights(images):
    """E_q[log p(x, z) - log q(z|x)] is the bound whose KL term is in closed form."""
    model, x = model_of(), images[:1].round()
    draws = 4000
    with torch.no_grad():
        q = model.encode(x)
        scale = (0.5 * q.log_variance).exp()
        posterior = Independent(Normal(q.mean, scale), 1)
        z = posterior.sample((draws,)).squeeze(1)
        likelihood = Independent(Bernoulli(logits=model.decode(z).logits), 3)
        prior = Independent(Normal(torch.zeros(3), 1.0), 1)
        weights = likelihood.log_prob(x) + prior.log_prob(z) - posterior.log_prob(z)
        terms = elbo_terms(model, x.expand(draws, *SHAPE), generator())
    error = 3 * math.hypot(weights.std().item(), terms.elbo.std().item()) / math.sqrt(draws)
    assert weights.mean().item() == pytest.approx(terms.elbo.mean().item(), abs=error)
    assert error < 0.5


def test_terms_are_those_of_one_draw(images):
    model = model_of()
    terms = elbo_terms(model, images, generator(7))
    q = model.encode(images)
    pixels = model.decode(q.rsample(generator(7)))
    torch.testing.assert_close(terms.kl, q.kl_to_standard())
    torch.testing.assert_close(terms.log_likelihood, pixels.log_prob(images))
    torch.testing.assert_close(terms.elbo, pixels.log_prob(images) - q.kl_to_standard())


def test_loss_sums_over_pixels_and_averages_over_images(images):
    model = model_of().eval()
    terms = elbo_terms(model, images, generator())
    assert terms.elbo.shape == (6,)
    value = loss(model, images, generator())
    torch.testing.assert_close(value, -terms.elbo.sum() / 6)
    # An untrained Bernoulli costs about ln 2 in each of 64 pixels, whatever the batch.
    assert value.item() == pytest.approx(64 * math.log(2), rel=0.1)
    assert loss(model, images.repeat(5, 1, 1, 1), generator()).item() == pytest.approx(
        value.item(), rel=0.05
    )


def test_consistency_compares_the_reconstruction_with_the_image(images):
    model = model_of().eval()
    terms = elbo_terms(model, images, generator())
    first, second = model.encode(terms.pixels.mean), model.encode(images)
    torch.testing.assert_close(consistency(model, terms), first.kl_to(second))
    assert not torch.allclose(first.kl_to(second), second.kl_to(first))


def test_first_argument_is_the_encoding_of_the_reconstruction(images, monkeypatch):
    model = model_of()
    terms = elbo_terms(model, images, generator())
    wide = DiagonalGaussian(torch.zeros(6, 3), torch.zeros(6, 3))
    sharp = DiagonalGaussian(torch.full((6, 3), 0.5), torch.full((6, 3), -8.0))
    monkeypatch.setattr(model, "encode", lambda x: sharp)
    terms = replace(terms, posterior=wide)
    # Half of 3 [log(1 / s') + s' + 0.25 - 1] where s' is the small variance of z'.
    expected = 1.5 * (8 + math.exp(-8) + 0.25 - 1)
    torch.testing.assert_close(consistency(model, terms), torch.full((6,), expected))


def test_consistency_trains_both_networks_through_both_encodings(images):
    model = model_of()
    consistency(model, elbo_terms(model, images, generator())).mean().backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, name
        assert p.grad.abs().sum() > 0, name
    through_both = model.encoder.layers[1][0].weight.grad.clone()
    model.zero_grad()
    terms = elbo_terms(model, images, generator())
    stopped = DiagonalGaussian(
        terms.posterior.mean.detach(), terms.posterior.log_variance.detach()
    )
    consistency(model, replace(terms, posterior=stopped)).mean().backward()
    assert not torch.allclose(through_both, model.encoder.layers[1][0].weight.grad)


def test_alpha_weighs_the_consistency_term(images):
    model = model_of().eval()
    plain, weighed = (loss(model, images, generator(), alpha) for alpha in (0.0, 3.0))
    term = consistency(model, elbo_terms(model, images, generator())).mean()
    assert term > 0
    torch.testing.assert_close(weighed, plain + 3 * term)


@pytest.mark.parametrize("encoder", ["mlp", "conv"])
def test_alpha_zero_is_the_plain_vae_bit_by_bit(encoder):
    """The weights after an epoch are those of a loop that has never heard of the term."""
    settings = replace(SETTINGS, encoder=encoder, alpha=0.0)
    images = (torch.rand(32, *SHAPE, generator=generator()) * 255).byte()
    state = new_state(Arm("a", settings), SHAPE, 0, torch.device("cpu"))
    plain = new_state(Arm("a", settings), SHAPE, 0, torch.device("cpu"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "vaesearch.training.Loss",
            lambda settings: lambda model, x, g, at: -elbo_terms(model, x, g).elbo.mean(),
        )
        expected = train_epoch(plain, images, seed=0)
    assert train_epoch(state, images, seed=0) == expected
    pairs = zip(state.model.state_dict().values(), plain.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_consistency_leaves_running_statistics_to_the_images(images):
    model = model_of(encoder="conv")
    model.train()
    terms = elbo_terms(model, images, generator())
    before = {name: b.clone() for name, b in model.encoder.named_buffers()}
    consistency(model, terms)
    assert all(torch.equal(b, before[name]) for name, b in model.encoder.named_buffers())
    assert all(m.training for m in model.modules())
