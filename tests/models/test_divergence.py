"""KL between posteriors, and the consistency term that is made of it."""

import math
from dataclasses import replace

import pytest
import torch

from vaesearch import catalogue
from vaesearch.evaluation import appraise, validate
from vaesearch.models.latents import DiagonalGaussian, Flow, FullGaussian, kl_divergence
from vaesearch.models.vae import build_model
from vaesearch.objectives import Loss, consistency, elbo_terms
from vaesearch.records import TrialSettings

SETTINGS = TrialSettings("mlp", encoder="mlp", latent_dim=3, width=1 / 16, batch_size=8)
FLOWS = ["planar:2", "radial:2", "iaf:2,8"]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=6):
    return torch.rand(count, 1, 8, 8, generator=generator(2))


def gaussians():
    """Two of diagonal and two of full covariance, the same."""
    numbers = torch.randn(4, 1, 3, generator=generator(1), dtype=torch.float64)
    plain = [DiagonalGaussian(numbers[i], 0.5 * numbers[i + 1]) for i in (0, 2)]
    scales = [torch.diag_embed(torch.exp(0.5 * q.log_variance)) for q in plain]
    return plain, [FullGaussian(q.mean, s) for q, s in zip(plain, scales, strict=True)]


def test_gaussians_have_a_closed_form():
    plain, full = gaussians()
    exact = plain[0].kl_to(plain[1])
    assert torch.equal(kl_divergence(*plain), exact)
    torch.testing.assert_close(kl_divergence(*full), exact)


def test_others_are_estimated_without_bias():
    plain, _ = gaussians()
    many = [
        DiagonalGaussian(q.mean.expand(20_000, 3), q.log_variance.expand(20_000, 3)) for q in plain
    ]
    flows = [Flow(q, ()) for q in many]
    draws = kl_divergence(*flows, generator())
    error = 3 * draws.std().item() / math.sqrt(len(draws))
    assert draws.mean().item() == pytest.approx(plain[0].kl_to(plain[1]).item(), abs=error)
    assert error < 0.2
    assert torch.equal(draws, kl_divergence(*flows, generator()))


@pytest.mark.parametrize("posterior", ["full-covariance", *FLOWS])
def test_consistency_trains_both_networks(posterior):
    settings = replace(SETTINGS, posterior=posterior, alpha=1.0)
    model = build_model(settings, (1, 8, 8))
    terms = elbo_terms(model, images(), generator())
    consistency(model, terms, generator(1)).mean().backward()
    for name, p in model.encoder.named_parameters():
        assert (p.grad != 0).any(), name
    assert (model.decoder.layers[0][0].weight.grad != 0).any()
    value = Loss(settings)(model, images(), generator(3))
    assert torch.equal(value, Loss(settings)(model, images(), generator(3)))
    assert value.isfinite()


def test_an_appraisal_has_the_consistency_where_there_is_one():
    data = images().mul(255).byte()
    for entry in catalogue.POSTERIORS:
        if "ladder" in entry.traits:
            continue  # it goes with a prior of its own
        model = build_model(replace(SETTINGS, posterior=entry.name), (1, 8, 8))
        figures = appraise(model, data, has_mass=True)
        assert ("consistency" in figures) == ("density" in entry.traits)
        # The noise of the other figures is not touched by it.
        plain = validate(model, data, has_mass=True)
        assert plain == {name: figures[name] for name in plain}
