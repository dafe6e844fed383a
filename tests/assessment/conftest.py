import numpy as np
import pytest

from vaesearch.data import ImageData
from vaesearch.evaluation.subject import Subject
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings


@pytest.fixture(scope="module")
def subject():
    """A model and images of no run directory."""
    rng = np.random.default_rng(0)
    train, valid, test = (rng.integers(0, 256, (n, 1, 16, 16), np.uint8) for n in (50, 20, 20))
    settings = TrialSettings("mlp", encoder="mlp", width=0.05, latent_dim=4)
    model = build_model(settings, (1, 16, 16), 0)
    return Subject(model, ImageData("noise", train, valid, test, "8bit", "abc"), limit=12)
