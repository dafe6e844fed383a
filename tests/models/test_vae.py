import math
from dataclasses import replace
from itertools import product

import pytest
import torch

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.vae import build_model, count_parameters
from vaesearch.objectives import Loss
from vaesearch.records import Arm, TrialSettings
from vaesearch.training import TrialState, make_optimizer, train_epoch

SMALL = TrialSettings("mlp", encoder="mlp", latent_dim=4, width=1 / 32, batch_size=8)
LIKELIHOODS = [e.name for e in catalogue.LIKELIHOODS] + ["gaussian:learned", "gaussian:0.1"]
ENCODERS, DECODERS = ([e.name for e in axis] for axis in (catalogue.ENCODERS, catalogue.DECODERS))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(4)


def blobs(count, shape, seed=0):
    """Smooth pictures, uint8: a few bright squares that differ from image to image."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, shape[0], 4, 4, generator=generator)
    return (
        coarse.repeat_interleave(shape[1] // 4, 2)
        .repeat_interleave(shape[2] // 4, 3)
        .mul(255)
        .byte()
    )


PAIRS = [*product(ENCODERS, DECODERS, LIKELIHOODS[:1])]
REPORTED = [*product(ENCODERS[:2], DECODERS[:5], LIKELIHOODS[1:])]


@pytest.mark.parametrize(("encoder", "decoder", "likelihood"), PAIRS + REPORTED)
def test_every_combination_trains_a_step(encoder, decoder, likelihood, generator):
    settings = replace(SMALL, encoder=encoder, decoder=decoder, likelihood=likelihood)
    model = build_model(settings, (1, 16, 16))
    optimizer = make_optimizer(model, settings)
    x = blobs(8, (1, 16, 16)).float() / 255
    loss = Loss(replace(settings, alpha=0.1))
    before = loss(model, x, generator)
    before.backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, name
        assert p.grad.isfinite().all(), name
    optimizer.step()
    assert loss(model, x, generator).isfinite()
    assert model(x).shape == x.shape


@pytest.mark.parametrize(
    ("encoder", "decoder"), [("conv", d) for d in DECODERS] + [(e, "mlp") for e in ENCODERS[1:]]
)
def test_few_images_are_learned_by_heart(encoder, decoder):
    width = 1 / 2 if decoder == "broadcast" else 1 / 4 if encoder == "mlp" else 1 / 8
    settings = replace(
        SMALL, decoder=decoder, encoder=encoder, width=width if "mlp" in decoder else width / 2,
        latent_dim=32, likelihood="gaussian:0.01", learning_rate=3e-3, batch_size=64,
    )  # fmt: skip
    model = build_model(settings, (1, 16, 16))
    state = TrialState(Arm(decoder, settings), model, make_optimizer(model, settings))
    images = blobs(64, (1, 16, 16))
    constant = 0.5 * 256 * math.log(2 * math.pi * 0.01)  # what is left is error and KL
    losses = (train_epoch(state, images, seed=0) - constant for _ in range(200))
    first = next(losses)
    assert any(loss < 0.5 * first for loss in losses)


def test_weights_follow_the_seed_and_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    first, again, other = (build_model(SMALL, (1, 8, 8), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not any(torch.equal(a, c) for a, _, c in pairs if a.numel() > 1)


def test_counting_allocates_nothing_and_counts_what_trains():
    model = build_model(SMALL, (3, 16, 16))
    assert count_parameters(SMALL, (3, 16, 16)) == sum(p.numel() for p in model.parameters())
    huge = replace(SMALL, decoder="mlp-wide", width=200.0, latent_dim=10_000)
    assert count_parameters(huge, (3, 64, 64)) > 10**10


def test_reconstruction_decodes_the_posterior_mean(generator):
    model = build_model(SMALL, (1, 8, 8)).eval()
    x = torch.rand(3, 1, 8, 8, generator=generator)
    assert torch.equal(model(x), model.decode(model.encode(x).mean).mean)


def test_samples_are_pictures_and_follow_the_generator():
    model = build_model(SMALL, (3, 8, 8)).eval()
    first, again, other = (model.sample(5, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert first.shape == (5, 3, 8, 8)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not first.requires_grad


def test_bfloat16_is_inside_the_networks_only(generator):
    settings = replace(SMALL, encoder="conv", decoder="deconv", precision="bfloat16")
    model = build_model(settings, (1, 16, 16))
    x = blobs(8, (1, 16, 16)).float() / 255
    exact = build_model(replace(settings, precision="float32"), (1, 16, 16))
    coded, expected = model.encode(x), exact.encode(x)
    assert coded.mean.dtype == coded.log_variance.dtype == torch.float32
    assert not torch.equal(coded.mean, expected.mean)
    torch.testing.assert_close(coded.mean, expected.mean, atol=0.05, rtol=0.05)
    value = Loss(replace(settings, alpha=1.0))(model, x, generator)
    value.backward()
    assert value.dtype == torch.float32
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_unknown_part_is_refused_with_a_hint():
    with pytest.raises(InputError, match="did you mean 'deconv'"):
        build_model(replace(SMALL, decoder="decnov"), (1, 8, 8))
