"""What the package is timed beside finds the same."""

import pytest
import torch
from vaes import plain_loops

from vaesearch.evaluation.ais import annealed_importance
from vaesearch.evaluation.importance import iwae
from vaesearch.evaluation.joint import Joint
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model():
    """Far from its start, so that latents matter."""
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=2, width=1 / 16, likelihood="bernoulli"
    )
    made = build_model(settings, (1, 4, 4)).eval().requires_grad_(False)
    made.decoder.layers[-2].weight.mul_(8)
    return made


@pytest.fixture
def x():
    return torch.randint(0, 2, (6, 1, 4, 4), generator=generator()).float()


def test_importance_weighting(model, x):
    ours = iwae(model, x, generator(), 5_000)
    plain = plain_loops.importance_weighted(model, x, 5_000, generator(1))
    torch.testing.assert_close(ours, plain, rtol=0, atol=0.1)


def test_annealing(model, x):
    ours = annealed_importance(Joint(model, x), generator(), chains=64, temperatures=20).log_p
    plain = plain_loops.annealed(model, x, 64, 20, generator(1))
    torch.testing.assert_close(ours, plain, rtol=0, atol=0.15)
    exact = iwae(model, x, generator(2), 5_000)
    torch.testing.assert_close(ours, exact, rtol=0, atol=0.15)
