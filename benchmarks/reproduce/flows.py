"""The comparison that the empty sections 4.1 and 4.2 of Kong & Li promise.

    python benchmarks/reproduce/flows.py

A diagonal Gaussian beside planar and radial flows, with IAF and RealNVP for reference: on two
densities that are known, and as posteriors of a VAE of digits.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass

import densities
import torch
from pictures import Cloud, clouds, save
from shared import Results, digits, markdown, parser, run, trained
from torch import Tensor

from vaesearch.data import ImageData
from vaesearch.evaluation.estimates import mean_of
from vaesearch.models.vae import VAE
from vaesearch.objectives.importance import draw, log_mean_exp
from vaesearch.records import TrialSettings
from vaesearch.seeding import torch_generator

NAME = "flows"
PLAIN = "gaussian"
SIMPLE = tuple(f"{kind}:{steps}" for kind in ("planar", "radial") for steps in (2, 8, 16))
ON_PLANE = (PLAIN, *SIMPLE, "iaf:4,128", "realnvp:6,64")
ON_DIGITS = (PLAIN, *SIMPLE, "iaf:2,200", "realnvp:2,200")
EXTENT = (-4.0, 4.0, -3.5, 4.5)
DECODED = 2500  # images at once
FIGURES = ("elbo", "kl", "iwae", "gap")


@dataclass(frozen=True)
class Scale:
    """How much is trained and measured.

    Attributes:
        seeds: of every fit and training.
        steps: of every fit to a density on the plane.
        epochs: of training on digits.
        images: of the test images that are measured.
        samples: K of the importance-weighted bound, and of the mean that is the ELBO.
    """

    seeds: int = 2
    steps: int = densities.STEPS
    epochs: int = 30
    images: int = 500
    samples: int = 500


FULL = Scale(seeds=5, epochs=500, images=10_000, samples=5000)


def measure(options: argparse.Namespace) -> Results:
    scale = FULL if options.full else Scale()
    seeds = range(options.seed, options.seed + scale.seeds)
    plane = {name: on_plane(name, seeds, scale.steps) for name in densities.TARGETS}
    save(clouds({name: row for name, (_, row) in plane.items()}, EXTENT), "densities")
    data = digits(options.data_dir, full=options.full, binary=True)
    found = {
        posterior: [on_digits(posterior, data, scale, seed, options.device) for seed in seeds]
        for posterior in ON_DIGITS
    }
    return {
        "settings": asdict(scale) | {"first seed": options.seed},
        "densities": {name: values for name, (values, _) in plane.items()},
        "digits": {posterior: summary(runs, found[PLAIN]) for posterior, runs in found.items()},
    }


def on_plane(
    name: str, seeds: range, steps: int
) -> tuple[dict[str, list[tuple[float, float]]], list[Cloud]]:
    """KL(q || p) with its error for each family and seed, and clouds of points to be drawn."""
    target = densities.TARGETS[name]
    row = [(name, densities.exact(target, EXTENT))]
    values = {}
    for family in ON_PLANE:
        fitted = [densities.fitted(family, target, seed, steps) for seed in seeds]
        values[family] = [densities.divergence(q, target) for q in fitted]
        points = fitted[0].rsample(torch_generator(0, "picture"), densities.DRAWS)[:, 0]
        row.append((f"{words(family)}\n{values[family][0][0]:.2f}", points.numpy()))
        print(f"{name}, {family}: {values[family]}", file=sys.stderr)
    return values, row


def on_digits(
    posterior: str, data: ImageData, scale: Scale, seed: int, device: str
) -> dict[str, Tensor]:
    """Figures per test image, ``[N]`` each, and ``seconds`` of processor time per epoch."""
    settings = TrialSettings(
        "networks:Decoder",
        encoder="networks:Encoder",
        posterior=posterior,
        likelihood="bernoulli",
        latent_dim=20,
        batch_size=100,
    )
    started = time.process_time()
    model = trained(settings, data, scale.epochs, seed=seed, device=device)
    seconds = (time.process_time() - started) / scale.epochs
    images = torch.tensor(data.test[: scale.images], device=device)
    return bounds(model, images, scale.samples) | {"seconds": torch.tensor([seconds])}


@torch.no_grad()
def bounds(model: VAE, images: Tensor, samples: int) -> dict[str, Tensor]:
    """ELBO, KL, importance-weighted bound and their difference, from the same samples."""
    parts: dict[str, list[Tensor]] = {name: [] for name in FIGURES}
    size = max(1, DECODED // samples)
    for batch, x in enumerate(images.split(size)):
        generator = torch_generator(0, "bounds", batch, device=images.device)
        draws = draw(model, x.float().div(255), generator, samples)
        log_weights = draws.log_weights().double()
        elbo, iwae = log_weights.mean(dim=0), log_mean_exp(log_weights)
        kl = (draws.log_q - draws.log_prior).double().mean(dim=0)
        for name, value in zip(FIGURES, (elbo, kl, iwae, iwae - elbo), strict=True):
            parts[name].append(value)
    return {name: torch.cat(values).cpu() for name, values in parts.items()}


def summary(runs: list[dict[str, Tensor]], plain: list[dict[str, Tensor]]) -> Results:
    """Means over images and seeds with errors over images, and what is gained on the plain VAE."""
    result: Results = {}
    for name in FIGURES:
        values = torch.stack([one[name] for one in runs])
        gains = values - torch.stack([one[name] for one in plain])
        mean, gain = mean_of(values.mean(dim=0)), mean_of(gains.mean(dim=0))
        result[name] = {
            "mean": mean.value,
            "error": mean.error,
            "gain": gain.value,
            "gain error": gain.error,
            "gain of each seed": gains.mean(dim=1).tolist(),
        }
    result["seconds per epoch"] = min(one["seconds"].item() for one in runs)
    return result


def words(posterior: str) -> str:
    """As a table shows it: ``planar, K = 8``."""
    name, _, arguments = posterior.partition(":")
    steps = arguments.partition(",")[0]
    shown = {"gaussian": "Gaussian", "iaf": "IAF", "realnvp": "RealNVP"}.get(name, name)
    return f"{shown}, K = {steps}" if steps else shown


def tables(results: Results) -> dict[str, str]:
    """Both tables of the section."""
    return {
        "flows: densities": _of_densities(results["densities"]),
        "flows: digits": _of_digits(results["digits"]),
    }


def _of_densities(found: Results) -> str:
    head = ["q", *(f"{name}" for name in found)]
    rows = [
        [words(family), *(", ".join(f"{kl:.3f}" for kl, _ in of[family]) for of in found.values())]
        for family in next(iter(found.values()))
    ]
    return markdown(head, rows)


def _of_digits(found: Results) -> str:
    head = [
        "posterior", "-ELBO", "KL", "-IWAE", "IWAE - ELBO", "gain in ELBO", "gain in IWAE",
        "of each seed", "s per epoch",
    ]  # fmt: skip
    rows = []
    for posterior, of in found.items():
        elbo, kl, iwae, gap = (of[name] for name in FIGURES)
        gains = ["-"] * 3
        if posterior != PLAIN:
            each = ", ".join(f"{gain:+.2f}" for gain in iwae["gain of each seed"])
            gains = [*(f"{g['gain']:+.2f} ± {g['gain error']:.2f}" for g in (elbo, iwae)), each]
        cells = [f"{-elbo['mean']:.2f}", f"{kl['mean']:.2f}", f"{-iwae['mean']:.2f}"]
        cells += [f"{gap['mean']:.2f} ± {gap['error']:.2f}", *gains]
        rows.append([words(posterior), *cells, f"{of['seconds per epoch']:.2f}"])
    return markdown(head, rows)


if __name__ == "__main__":
    run(NAME, parser(__doc__ or "").parse_args(), measure, tables)
