"""A model of a run directory that was never trained, for tests of pictures."""

from pathlib import Path

import numpy as np

from vaesearch.config import Config
from vaesearch.data import ImageData
from vaesearch.data.labels import Labels
from vaesearch.models.vae import build_model
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.run_dir import RunDir
from vaesearch.trained import Trained


def opened(*, labels=True, channels=1, **changes):
    """What ``open_trained`` gives, for 40 images of 8x8 pixels of noise."""
    settings = TrialSettings(
        "mlp", **{"encoder": "mlp", "latent_dim": 3, "width": 1 / 32, **changes}
    )
    levels = np.random.default_rng(0).integers(0, 256, (120, channels, 8, 8), dtype=np.uint8)
    classes = np.arange(40) % 4
    data = ImageData(
        "noise", levels[:40], levels[40:80], levels[80:], "8bit", "no digest",
        Labels(classes, classes, classes) if labels else None,
    )  # fmt: skip
    model = build_model(settings, data.shape).eval().requires_grad_(False)
    run_dir = RunDir(Path("nowhere"))
    return Trained(run_dir, Config(seed=3), Arm("mlp", settings), 4, "no digest", model, data)
