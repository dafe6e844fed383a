import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from vaesearch.evaluation import appraise, scores, validate
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings
from vaesearch.seeding import torch_generator

SETTINGS = TrialSettings("mlp", encoder="conv", latent_dim=16, width=1 / 32)
SHAPE = (1, 8, 8)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(8)
    return torch.randint(0, 256, (530, *SHAPE), generator=generator).byte()


@pytest.fixture
def model():
    """With running statistics that differ from any batch's."""
    made = build_model(SETTINGS, SHAPE).train()
    made.encode(torch.rand(32, *SHAPE, generator=torch.Generator().manual_seed(1)))
    return made


@torch.no_grad()
def test_validate_is_a_straightforward_loop(model, images):
    found = validate(model, images, has_mass=True)
    generator, rows = torch_generator(0, "validation"), []
    for batch in images.split(scores.BATCH):
        x = batch.float() / 255
        q = model.encode(x)
        pixels = model.decode(q.rsample(generator))
        for i in range(len(x)):
            kl = q.kl_to_standard()[i].item()
            nats = pixels.log_prob(x)[i].item()
            mass = pixels.log_mass(x)[i].item()
            error = (pixels.mean[i] - x[i]).square().mean().item()
            rows.append([nats - kl, kl, nats, error, (kl - mass) / 64 / math.log(2)])
    expected = np.mean(rows, axis=0)
    names = ["elbo", "kl", "reconstruction", "mse", "bpd"]
    assert list(found) == names
    assert [found[n] for n in names] == pytest.approx(expected, rel=1e-5)


def test_figures_are_the_same_every_time_and_in_any_order_of_calls(model, images):
    first = validate(model, images, has_mass=True)
    appraised = appraise(model, images, has_mass=True)
    assert validate(model, images, has_mass=True) == first
    assert {name: appraised[name] for name in first} == first
    assert set(appraised) - set(first) == {"consistency"}
    assert appraised["consistency"] > 0


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_batches_of_another_size_change_the_noise_only(model, images, monkeypatch, size):
    """torch draws its normal numbers in blocks, so the noise depends on how it is asked for."""
    whole = validate(model, images, has_mass=True)
    monkeypatch.setattr(scores, "BATCH", size)
    split = validate(model, images, has_mass=True)
    assert split["kl"] == pytest.approx(whole["kl"], rel=1e-6)
    is_block = size * SETTINGS.latent_dim % 16 == 0 and size > 1
    for name in ("elbo", "mse", "bpd"):
        assert split[name] == pytest.approx(whole[name], rel=1e-5 if is_block else 1e-2)


def test_last_and_smaller_batch_counts_by_its_images(model, images, monkeypatch):
    monkeypatch.setattr(scores, "BATCH", 500)
    parts = [validate(model, part, has_mass=True)["kl"] for part in (images[:500], images[500:])]
    expected = (500 * parts[0] + 30 * parts[1]) / 530
    assert validate(model, images, has_mass=True)["kl"] == pytest.approx(expected, rel=1e-6)


def test_evaluation_leaves_the_model_as_it_was(model, images):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    appraise(model, images, has_mass=True)
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_noise_is_the_same_for_all_arms(images, monkeypatch):
    """Common random numbers: what differs between arms is then the arms."""
    drawn = []
    original = torch.Tensor.normal_

    def spy(self, *args, **kwargs):
        drawn.append(original(self, *args, **kwargs).clone())
        return self

    models = [build_model(replace(SETTINGS, decoder=d), SHAPE) for d in ("mlp", "deconv")]
    monkeypatch.setattr(torch.Tensor, "normal_", spy)
    for model in models:
        validate(model, images[:40], has_mass=True)
    assert len(drawn) == 2
    assert torch.equal(*drawn)


def test_bits_are_those_of_the_distribution_that_was_made(model, images):
    """Uniform levels cost 8 bits each at the least; a wide enough normal is not far from it."""
    with torch.no_grad():
        model.likelihood.log_variance.fill_(2 * math.log(0.35))
        for layer in (model.decoder.layers[1], model.posterior.mean, model.posterior.log_variance):
            layer.weight.zero_()
            layer.bias.zero_()
    figures = validate(model, images, has_mass=True)
    assert figures["kl"] == 0
    assert 8 <= figures["bpd"] < 8.4
    assert figures["bpd"] == pytest.approx(-figures["elbo"] / (64 * math.log(2)))


@pytest.mark.parametrize(
    ("likelihood", "has_mass"), [("relaxed-bernoulli", False), ("gaussian", True)]
)
def test_bits_are_there_where_the_likelihood_is_a_mass(images, likelihood, has_mass):
    model = build_model(replace(SETTINGS, likelihood=likelihood), SHAPE)
    figures = validate(model, images[:20], has_mass=has_mass)
    assert ("bpd" in figures) is has_mass
    if has_mass:  # a density's nats are not those of the mass
        assert figures["bpd"] != pytest.approx(-figures["elbo"] / (64 * math.log(2)), rel=0.1)
