"""The bandit over five decoders of Abecidan's report, and what a search decides instead.

    python benchmarks/reproduce/decoder_bandit.py

On each data set: the report's own system (one encoder, a decoder drawn for every batch) at the
report's number of passes, with the law that its shares of draws follow; the same system and
searches with more passes; and every decoder trained equally long, which shows who was right.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from bandit_page import picture, places
from shared import Results, parser, run
from torch import nn

from vaesearch.api import run_bandit
from vaesearch.baselines import run_shared_encoder
from vaesearch.config import Config
from vaesearch.models.vae import VAE
from vaesearch.records import TrialSettings
from vaesearch.report.tables import results as results_of

NAME = "decoder_bandit"
DECODERS = ("mlp", "mlp-wide", "deconv-deep", "deconv", "linear-deconv")  # D0 to D4 of the report
PICTURE = 32


@dataclass(frozen=True)
class DataSet:
    """A data set of the report, and what its place is taken by.

    Attributes:
        name: as ``--dataset`` names it.
        stands_for: the report's.
        passes: of the report.
        published: shares of draws of D0 to D4.
        batches: of 128 images in each pass of the report.
        channels: of its images.
        latent_dim: of the report.
    """

    name: str
    stands_for: str
    passes: int
    published: tuple[float, ...]
    batches: int
    channels: int = 1
    latent_dim: int = 100


FASHION = DataSet("fashionmnist", "Fashion-MNIST", 3, (0.576, 0.107, 0.097, 0.095, 0.124), 469)
SETS = (
    DataSet("mnist", "QMNIST", 5, (0.091, 0.607, 0.097, 0.104, 0.101), 469),
    FASHION,
    DataSet("cifar10", "CIFAR-10", 5, (0.641, 0.084, 0.079, 0.104, 0.092), 391, 3, 200),
)


@dataclass(frozen=True)
class Scale:
    """How much is trained.

    Attributes:
        images: to train on, with a quarter as many to validate and to test; None for all.
        width: of all networks; 1 is the report's.
        batch_size: smaller for few images, so that a pass has as many draws as can be had.
        seeds: of the report's system at its own number of passes.
        passes: of its longer run, and of a search.
        few: of another search.
        epochs: of every decoder where all are trained equally.
    """

    images: int | None = 1500
    width: float = 0.125
    batch_size: int = 32
    seeds: int = 3
    passes: int = 40
    few: int = 15
    epochs: int = 15


FULL = Scale(images=None, width=1.0, batch_size=128, passes=100, few=25, epochs=50)


def measure(options: argparse.Namespace) -> Results:
    scale = FULL if options.full else Scale()
    sets = {}
    for data_set in SETS:
        used = available(data_set, options.data_dir)
        config = Config(
            dataset=used.name,
            data_dir=str(options.data_dir),
            image_size=PICTURE,
            train_limit=scale.images,
            decoders=",".join(DECODERS),
            width=scale.width,
            latent_dim=used.latent_dim,
            batch_size=scale.batch_size,
            seed=options.seed,
        )
        with tempfile.TemporaryDirectory() as folder:
            sets[used.name] = asdict(used) | on_set(used, config, scale, Path(folder))
    return {
        "settings": asdict(scale) | {"first seed": options.seed},
        "parameters": {"grey": parameters(1, 100), "colour": parameters(3, 200)},
        "sets": sets,
    }


def available(data_set: DataSet, folder: Path) -> DataSet:
    """Fashion-MNIST has to be in the folder; else the digits inside scikit-learn are taken."""
    if data_set is FASHION and not (folder / f"{data_set.name}.npz").is_file():
        return replace(data_set, name="digits")
    return data_set


def parameters(channels: int, latent_dim: int) -> dict[str, int]:
    """Of the encoder with its posterior, and of each decoder, at the report's width."""
    counts = {}
    for name in DECODERS:
        settings = TrialSettings(
            name, latent_dim=latent_dim, width=1.0, likelihood="relaxed-bernoulli"
        )
        with torch.device("meta"):
            model = VAE(settings, (channels, PICTURE, PICTURE))
        counts[name] = count(model.decoder)
        counts["encoder"] = count(model.encoder) + count(model.posterior)
    return counts


def count(module: nn.Module) -> int:
    """Numbers that are trained."""
    return sum(p.numel() for p in module.parameters())


def on_set(data_set: DataSet, config: Config, scale: Scale, folder: Path) -> dict[str, Any]:
    """What the report's system, a search, and equal training find."""
    short = [
        reported(
            replace(config, epochs=data_set.passes, seed=config.seed + n), folder / f"short{n}"
        )
        for n in range(scale.seeds)
    ]
    equal = replace(config, epochs=len(DECODERS) * scale.epochs, policy="uniform")
    return {
        "short": short,
        "long": reported(replace(config, epochs=scale.passes), folder / "long"),
        "search": searched(replace(config, epochs=scale.passes), folder / "search"),
        "few": searched(replace(config, epochs=scale.few), folder / "few"),
        "equal": searched(equal, folder / "equal"),
    }


def reported(config: Config, folder: Path) -> dict[str, Any]:
    """The report's system: its likelihood, its reward and its policy."""
    config = replace(
        config,
        shared_encoder=True,
        likelihood="relaxed-bernoulli",
        reward="reconstruction",
        policy="epsilon-greedy:epsilon=0.3",
    )
    found = run_shared_encoder(config, folder)
    print(f"{config.dataset}, shared encoder: {found['seconds']:.0f} s", file=sys.stderr)
    figures = {decoder["name"]: decoder for decoder in found["decoders"]}
    return {
        "seed": config.seed,
        "batches": found["batches"],
        "draws": {name: figures[name]["draws"] for name in DECODERS},
        "draws_by_pass": [done["draws"] for done in found["history"]],
        "test_reconstruction": {n: figures[n]["test"]["reconstruction"] for n in DECODERS},
        "seconds": round(found["seconds"], 1),
    }


def searched(config: Config, folder: Path) -> dict[str, Any]:
    """Every decoder with an encoder of its own, in bits/dim; the policy says who is trained."""
    started = time.perf_counter()
    found = results_of(run_bandit(replace(config, backend="local", tracking_uri="none"), folder))
    seconds = time.perf_counter() - started
    print(f"{config.dataset}, {config.policy}: {seconds:.0f} s", file=sys.stderr)
    arms = {arm["name"]: arm for arm in found["arms"]}
    return {
        "policy": config.policy,
        "best": found["best_arm"],
        "epochs": {name: arms[name]["epochs"] for name in DECODERS},
        "curves": {name: arms[name]["curve"] for name in DECODERS},
        "test_bpd": {name: arms[name]["test"].get("bpd") for name in DECODERS},
        "test_mse": {name: arms[name]["test"].get("mse") for name in DECODERS},
        "seconds": round(seconds, 1),
    }


def tables(results: Results) -> dict[str, str]:
    """All tables of the section, by their places in the page."""
    return places(results)


if __name__ == "__main__":
    run(NAME, parser(__doc__.splitlines()[0]).parse_args(), measure, tables, picture)
