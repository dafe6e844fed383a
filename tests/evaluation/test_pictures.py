from dataclasses import replace

import numpy as np
import pytest
import torch

from vaesearch.evaluation import fit_aggregate, pictures
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

SETTINGS = TrialSettings("mlp", encoder="conv", latent_dim=16, width=1 / 32)
SHAPE = (1, 8, 8)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(8)
    return torch.randint(0, 256, (530, *SHAPE), generator=generator).byte()


@pytest.fixture
def model():
    return build_model(SETTINGS, SHAPE).eval()


def test_pictures(model, images):
    mixture = fit_aggregate(model.eval(), images, seed=3)
    shown = pictures(model, images[:5], mixture, count=9, seed=3)
    assert {name: picture.shape for name, picture in shown.items()} == {
        "originals": (5, *SHAPE),
        "reconstructions": (5, *SHAPE),
        "samples": (9, *SHAPE),
        "prior_samples": (9, *SHAPE),
    }
    assert all(picture.dtype == np.uint8 for picture in shown.values())
    np.testing.assert_array_equal(shown["originals"], images[:5])
    with torch.no_grad():
        expected = model.eval()(images[:5] / 255).mul(255).round()
    np.testing.assert_array_equal(shown["reconstructions"], expected)
    again, other = (pictures(model, images[:5], mixture, count=9, seed=s) for s in (3, 4))
    np.testing.assert_array_equal(shown["samples"], again["samples"])
    assert not np.array_equal(shown["samples"], other["samples"])
    assert not np.array_equal(shown["prior_samples"], other["prior_samples"])


@pytest.mark.parametrize("likelihood", ["discretized-logistic:pixel", "beta"])
def test_a_predicted_spread_is_shown_beside_its_pictures(images, likelihood):
    model = build_model(replace(SETTINGS, likelihood=likelihood), SHAPE).eval()
    mixture = fit_aggregate(model, images, seed=3)
    shown = pictures(model, images[:5], mixture, count=9, seed=3)
    assert shown["sample_deviations"].shape == (9, *SHAPE)
    with torch.no_grad():
        pixels = model.decode(model.encode(images[:5] / 255).mean)
    deviations = shown["reconstruction_deviations"]
    np.testing.assert_array_equal(deviations, pixels.standard_deviation)
    assert deviations.dtype == np.float32
    assert deviations.min() > 0
