import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal

from vaesearch.errors import InputError
from vaesearch.objectives import Loss, elbo_terms
from vaesearch.objectives.annealing import Weights
from vaesearch.objectives.bounds import IWAE, DReG
from vaesearch.objectives.importance import draw, log_mean_exp, log_weights
from vaesearch.objectives.regularizers.divergences import KL

GRADIENTS = 2000


def bound(kind, model, x, generator, weights=None):
    return -kind(model, x, generator, KL(), weights or Weights())[0]


def test_weights_are_those_of_torch(model_of, images, draw_from):
    model = model_of()
    found = log_weights(model, images.round(), draw_from(1), samples=4)
    with torch.no_grad():
        q = model.encode(images.round())
        z = q.rsample(draw_from(1), 4)
        for k in range(4):
            pixels = Independent(Bernoulli(logits=model.decode(z[k]).logits), 3)
            posterior = Independent(Normal(q.mean, (0.5 * q.log_variance).exp()), 1)
            expected = pixels.log_prob(images.round()) - posterior.log_prob(z[k])
            expected += Independent(Normal(torch.zeros(3), 1.0), 1).log_prob(z[k])
            torch.testing.assert_close(found[k].detach(), expected)


def test_one_sample_is_the_monte_carlo_bound_bit_by_bit(model_of, images, draw_from):
    model = model_of()
    q, z = model.encode(images), model.encode(images).rsample(draw_from(5), 1)
    pixels = model.decode(z[0])
    expected = pixels.log_prob(images) - (
        q.rsample_and_log_prob(draw_from(5), 1)[1][0] - model.latent_prior().log_prob(z[0])
    )
    assert torch.equal(bound(IWAE(1), model, images, draw_from(5)), expected)
    assert torch.equal(bound(DReG(1), model, images, draw_from(5)), expected)


@pytest.mark.parametrize("kind", [IWAE, DReG])
def test_bound_is_the_log_of_the_mean_weight(kind, model_of, images, draw_from):
    model = model_of()
    weights = log_weights(model, images, draw_from(1), samples=7).double()
    expected = weights.exp().mean(dim=0).log().float()
    torch.testing.assert_close(bound(kind(7), model, images, draw_from(1)), expected)


def test_far_apart_weights_do_not_overflow():
    weights = torch.tensor([[-1e5], [3e4], [3e4]])
    assert log_mean_exp(weights).item() == pytest.approx(3e4 + math.log(2 / 3))


def test_beta_and_annealing_weigh_the_terms_inside_each_weight(model_of, images, draw_from):
    model = model_of()
    draws = draw(model, images, draw_from(1), 3)
    inside = draws.log_likelihood - 2.0 * (0.25 * draws.log_q - draws.log_prior)
    found = bound(IWAE(3), model, images, draw_from(1), Weights(2.0, 0.25))
    torch.testing.assert_close(found, torch.logsumexp(inside, 0) - math.log(3))


@pytest.mark.parametrize("spec", ["elbo", "iwae:1"])
def test_one_sample_has_the_mean_of_the_bound(spec, settings, model_of, images, draw_from):
    """The closed-form KL of the ELBO, and the KL at the sample, agree on average."""
    model = model_of()
    x = images[:1].expand(4000, -1, -1, -1)
    with torch.no_grad():
        terms = elbo_terms(model, x, draw_from())
        exact = (terms.log_likelihood - terms.kl).mean()
        found = -Loss(replace(settings, bound=spec))(model, x, draw_from(1))
        spread = bound(IWAE(1), model, x, draw_from(1)).std() + terms.log_likelihood.std()
    assert found.item() == pytest.approx(exact.item(), abs=3 * spread.item() / 4000**0.5)


@pytest.mark.parametrize("spec", ["iwae:3", "dreg:3"])
def test_images_are_encoded_once_and_decoded_in_one_batch(
    spec, settings, model_of, images, draw_from, monkeypatch
):
    model, sizes = model_of(), {}
    for name in ("encoder", "decoder"):
        module = getattr(model, name)
        module.register_forward_hook(
            lambda _, given, __, name=name: sizes.setdefault(name, []).append(len(given[0]))
        )
    Loss(replace(settings, bound=spec))(model, images, draw_from())
    assert sizes == {"encoder": [6], "decoder": [18]}


@pytest.mark.parametrize("spec", ["iwae:3", "dreg:3"])
@pytest.mark.parametrize("likelihood", ["gaussian:optimal", "gaussian:learned"])
def test_scales_are_fitted_to_all_samples(spec, likelihood, model_of, images, draw_from):
    model = model_of(bound=spec, likelihood=likelihood).train()
    draws = draw(model, images, draw_from(), 3)
    pixels = model.decode(draws.z.flatten(0, 1))
    Loss(model.settings)(model, images, draw_from()).backward()
    if likelihood == "gaussian:optimal":
        error = (pixels.mean - images.repeat(3, 1, 1, 1)).square().mean()
        assert model.likelihood.log_variance.exp().item() == pytest.approx(error.item())
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("spec", ["iwae:3", "dreg:3"])
def test_consistency_is_that_of_the_first_sample(spec, settings, model_of, images, draw_from):
    model = model_of().eval()
    plain, weighed = (
        Loss(replace(settings, bound=spec, alpha=a))(model, images, draw_from())
        for a in (0.0, 2.0)
    )
    z = model.encode(images).rsample(draw_from(), 3)[0]
    made = model.encode(model.decode(z).mean)
    expected = made.kl_to(model.encode(images)).mean()
    torch.testing.assert_close(weighed - plain, 2 * expected, rtol=1e-4, atol=1e-4)


def test_dreg_leaves_the_gradient_of_the_consistency_term(settings, model_of, images, draw_from):
    def slope(spec, alpha):
        model = model_of().eval()
        with torch.no_grad():  # reconstructions that depend on z
            for p in model.decoder.parameters():
                p.mul_(3)
        loss = Loss(replace(settings, bound=spec, alpha=alpha))
        loss(model, images, draw_from()).backward()
        return model.posterior.mean.weight.grad

    by_dreg, by_iwae = (slope(o, 1.0) - slope(o, 0.0) for o in ("dreg:3", "iwae:3"))
    torch.testing.assert_close(by_dreg, by_iwae, rtol=1e-3, atol=1e-4)


def gradients(kind, model, x, samples, generator, weights):
    """Of the encoder's and of the decoder's first bias, one draw of all noise per row."""
    rows = []
    for _ in range(GRADIENTS // 100):
        # One image repeated: per-row gradients by way of the features and the decoder's input.
        many = x.expand(100, -1, -1, -1)
        model.zero_grad()
        posterior = model.encode(many)
        posterior.mean.retain_grad()
        posterior.log_variance.retain_grad()
        original, model.encode = model.encode, lambda _, posterior=posterior: posterior
        try:
            bound(kind(samples), model, many, generator, weights).sum().backward()
        finally:
            model.encode = original
        rows.append(torch.cat([posterior.mean.grad, posterior.log_variance.grad], dim=1))
    return torch.cat(rows)


@pytest.mark.parametrize("weights", [Weights(), Weights(0.5, 0.6)])
def test_dreg_has_the_mean_of_the_gradient_and_less_noise(model_of, images, draw_from, weights):
    model = model_of()
    found = {}
    for seed, kind in enumerate((IWAE, DReG)):
        found[kind] = gradients(kind, model, images[:1].round(), 8, draw_from(seed), weights)
    errors = sum(g.var(dim=0) / len(g) for g in found.values()).sqrt()
    difference = found[IWAE].mean(dim=0) - found[DReG].mean(dim=0)
    assert (difference.abs() < 3 * errors).all()
    # The means are told apart from a wrong factor: they are many errors away from zero.
    assert (found[DReG].mean(dim=0).abs() > 6 * errors).any()
    if weights == Weights():
        assert found[DReG].var(dim=0).sum() < 0.8 * found[IWAE].var(dim=0).sum()


def test_decoder_gets_the_same_gradient_from_both(model_of, images, draw_from):
    slopes = []
    for kind in (IWAE, DReG):
        model = model_of()
        bound(kind(5), model, images, draw_from()).sum().backward()
        slopes.append([p.grad for p in model.decoder.parameters()])
    for first, second in zip(*slopes, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [IWAE, DReG])
@pytest.mark.parametrize("samples", [0, -1, 2.5, "five", True])
def test_samples_must_be_a_whole_number_above_zero(kind, samples):
    with pytest.raises(InputError, match="must be a whole number, at least 1, not"):
        kind(samples)
