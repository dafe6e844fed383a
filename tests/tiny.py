"""A search small enough to be run, killed and resumed many times: seconds, real training."""

import json
import os
import subprocess
import sys

import numpy as np

OPTIONS = [
    "--image-size", "16", "--decoders", "mlp,mlp-wide,deconv", "--encoders", "mlp",
    "--width", "0.05", "--latent-dim", "4", "--epochs", "18", "--batch-size", "32",
]  # fmt: skip


def write_dataset(folder):
    """Blobs at random places: enough structure for arms to differ."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(3, 13, (400, 2, 1, 1))
    rows, columns = np.mgrid[:16, :16]
    distance = (rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2
    images = (255 * np.exp(-distance / 12)).astype(np.uint8)
    path = folder / "blobs.npz"
    np.savez(path, x_train=images[:340], x_test=images[340:])
    return path


def command(*words):
    return [sys.executable, "-m", "vaesearch", *map(str, words)]


def environment(cache):
    return os.environ | {"OMP_NUM_THREADS": "1", "VAESEARCH_CACHE": str(cache)}


def run(*words, cache, **options):
    """The finished process of a command."""
    return subprocess.run(
        command(*words), env=environment(cache), capture_output=True, text=True, check=False,
        **options,
    )  # fmt: skip


def comparable(run_dir):
    """``results.json`` without times."""

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k != "seconds"}
        return [strip(v) for v in value] if isinstance(value, list) else value

    return strip(json.loads((run_dir / "results.json").read_text()))
