"""Real digits for the slow tests: MNIST's test images, permuted; 8,000 to train, 2,000 to test."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vaesearch.models.decoders import MLPDecoder
from vaesearch.models.vae import build_model
from vaesearch.records import Arm, TrialSettings
from vaesearch.threads import threads
from vaesearch.training import TrialState, make_optimizer, train_epoch

SHAPE = (1, 28, 28)


def load_digits():
    """Images to train and to test on; skips the test where there are none."""
    shuffled = torch.tensor(_shuffled("x_test")).unsqueeze(1)
    return shuffled[:8000], shuffled[8000:]


def load_labels():
    """Which digits they are."""
    shuffled = _shuffled("y_test").astype(np.int64)
    return shuffled[:8000], shuffled[8000:]


def _shuffled(name):
    beside = Path(__file__).parents[1] / ".." / "shared" / "data"
    path = Path(os.environ.get("VAESEARCH_TEST_DATA") or beside) / "mnist.npz"
    if not path.is_file():
        pytest.skip(f"no {path}; set VAESEARCH_TEST_DATA to a folder with mnist.npz")
    with np.load(path) as archive:
        array = archive[name]
    return array[np.random.default_rng(0).permutation(len(array))]


def binarized(images):
    """Black and white, at one half."""
    return (images > 127).byte() * 255


def trained(images, *, epochs, seed=0, **changes):
    """A model with two dense layers of 256 on either side; all noise follows ``seed``."""
    settings = TrialSettings(
        "mlp", encoder="mlp", width=1, **{"latent_dim": 2, "batch_size": 100, **changes}
    )
    model = build_model(settings, SHAPE, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.decoder = MLPDecoder(
            latent_dim=settings.latent_dim,
            shape=SHAPE,
            outputs=model.likelihood.outputs(1),
            hidden=(256, 256),
        )
    state = TrialState(Arm("a", settings), model, make_optimizer(model, settings))
    with threads(1):
        for _ in range(epochs):
            train_epoch(state, images, seed)
    return model.eval()
