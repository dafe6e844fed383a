"""The axes are independent: members of different axes train together, or are refused in words."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vaesearch import catalogue
from vaesearch.compatibility import check_combination, has_mass
from vaesearch.errors import InputError
from vaesearch.evaluation import appraise, validate
from vaesearch.models.vae import build_model
from vaesearch.objectives import Loss
from vaesearch.records import TrialSettings
from vaesearch.training import make_optimizer

BASE = TrialSettings("mlp", encoder="mlp", latent_dim=4, width=1 / 16, batch_size=8)
AXES = {
    "posterior": catalogue.POSTERIORS,
    "prior": catalogue.PRIORS,
    "likelihood": catalogue.LIKELIHOODS,
    "bound": catalogue.BOUNDS,
    "regularizer": catalogue.REGULARIZERS,
    "annealing": catalogue.ANNEALINGS,
    "decoder": catalogue.DECODERS,
    "encoder": catalogue.ENCODERS,
}
RANDOM = 60


def pixels_of(settings):
    entry = catalogue.find("likelihoods", settings.likelihood)
    return "binary" if "binary" in entry.traits else "8bit"


def makes_sense(settings):
    try:
        check_combination(settings, pixels_of(settings))
    except InputError:
        return False
    return True


def one_at_a_time():
    for axis, entries in AXES.items():
        for entry in entries:
            settings = replace(BASE, **{axis: entry.name})
            if makes_sense(settings):
                yield settings


def at_random():
    """Settings that differ from the base in every axis that they may differ in."""
    rng = np.random.default_rng(0)
    while True:
        settings = replace(BASE, alpha=float(rng.integers(2)), beta=float(rng.choice([1, 4])))
        for axis in rng.permutation(list(AXES)):
            other = replace(settings, **{axis: rng.choice(AXES[axis]).name})
            settings = other if makes_sense(other) else settings
        if makes_sense(settings):
            yield settings


def name_of(settings):
    changed = [getattr(settings, axis) for axis in AXES]
    return "-".join([*changed, *(["alpha"] if settings.alpha else [])])


def images_for(settings, shape, count=8):
    x = torch.rand(count, *shape, generator=torch.Generator().manual_seed(1))
    x = x.round() if pixels_of(settings) == "binary" else x
    return x.mul(255).byte()


def check_trains(settings, shape):
    model, loss = build_model(settings, shape).train(), Loss(settings)
    images = images_for(settings, shape)
    x, generator = images.float() / 255, torch.Generator().manual_seed(3)
    optimizer = make_optimizer(model, settings)
    for step in range(2):
        optimizer.zero_grad(set_to_none=True)
        value = loss(model, x, generator, 0.5 + step)
        assert value.isfinite()
        value.backward()
        for name, p in model.named_parameters():
            assert p.grad is None or p.grad.isfinite().all(), name
        assert all(p.grad is not None for p in model.encoder.parameters())
        optimizer.step()
    figures = validate(model, images, has_mass=has_mass(settings))
    assert all(np.isfinite(v) for v in figures.values()), figures
    return model, images


@pytest.mark.parametrize("settings", list(one_at_a_time()), ids=name_of)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_member_trains_beside_plain_ones(settings, channels):
    model, images = check_trains(settings, (channels, 32, 32))
    assert model(images.float() / 255).shape == images.shape
    figures = appraise(model, images, has_mass=has_mass(settings))
    assert all(np.isfinite(v) for v in figures.values()), figures
    drawn = model.sample(3, torch.Generator().manual_seed(0))
    assert drawn.shape == (3, channels, 32, 32)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


@pytest.mark.parametrize(
    "settings", [s for s, _ in zip(at_random(), range(RANDOM), strict=False)], ids=name_of
)
def test_members_of_all_axes_train_together(settings):
    check_trains(settings, (1, 16, 16))


def test_combinations_differ_in_many_axes():
    """The generator above would else show little."""
    found = [s for s, _ in zip(at_random(), range(RANDOM), strict=False)]
    assert len(set(found)) > RANDOM // 2
    for axis, entries in AXES.items():
        seen = {getattr(s, axis) for s in found}
        assert len(seen) >= min(len(entries), 3)
