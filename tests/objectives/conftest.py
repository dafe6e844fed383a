from dataclasses import replace

import pytest
import torch

from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

SETTINGS = TrialSettings(
    "mlp", encoder="mlp", latent_dim=3, width=1 / 32, likelihood="relaxed-bernoulli", batch_size=8
)
SHAPE = (1, 8, 8)


@pytest.fixture
def settings():
    return SETTINGS


@pytest.fixture
def images():
    return torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def model_of():
    """Builds a small model with some settings changed, its posterior far from the prior."""

    def build(**changes):
        model = build_model(replace(SETTINGS, **changes), SHAPE)
        with torch.no_grad():
            for p in model.posterior.parameters():
                p.mul_(6)
        return model

    return build


@pytest.fixture
def draw_from():
    """A generator of a seed."""
    return lambda seed=0: torch.Generator().manual_seed(seed)
