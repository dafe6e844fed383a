"""The comparison that the empty sections 4.1 and 4.2 of Kong & Li promise.

    python benchmarks/reproduce/flows.py

A diagonal Gaussian beside planar and radial flows, with IAF and RealNVP for reference, as
posteriors of a VAE of digits.
"""

import argparse
import time
from dataclasses import asdict, dataclass

import torch
from flow_densities import words
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
POSTERIORS = (
    PLAIN, "planar:8", "planar:16", "radial:8", "radial:16", "iaf:2,200", "realnvp:2,200",
)  # fmt: skip
DECODED = 2500  # images at once
FIGURES = ("elbo", "kl", "iwae", "gap")


@dataclass(frozen=True)
class Scale:
    """How much is trained and measured.

    Attributes:
        seeds: of every training.
        epochs: of training on digits.
        images: of the test images that are measured.
        samples: K of the importance-weighted bound, and of the mean that is the ELBO.
    """

    seeds: int = 3
    epochs: int = 30
    images: int = 400
    samples: int = 500


FULL = Scale(seeds=5, epochs=500, images=10_000, samples=5000)


def measure(options: argparse.Namespace) -> Results:
    scale = FULL if options.full else Scale()
    seeds = range(options.seed, options.seed + scale.seeds)
    data = digits(options.data_dir, full=options.full, binary=True)
    runs = {
        posterior: [on_digits(posterior, data, scale, seed, options.device) for seed in seeds]
        for posterior in POSTERIORS
    }
    found = {posterior: summary(each, runs[PLAIN]) for posterior, each in runs.items()}
    return {
        "settings": asdict(scale) | {"first seed": options.seed},
        "posteriors": found,
        "error of a gain": errors(found),
    }


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
    """Means over images and seeds, with errors over images, and what is gained on the plain VAE.

    Gains are on the plain VAE of the same seed.
    """
    result: Results = {}
    for name in FIGURES:
        values = torch.stack([one[name] for one in runs])
        gains = (values - torch.stack([one[name] for one in plain])).mean(dim=1)
        mean = mean_of(values.mean(dim=0))
        result[name] = {
            "mean": mean.value,
            "error": mean.error,
            "gain": gains.mean().item(),
            "gain of each seed": gains.tolist(),
        }
    result["seconds per epoch"] = min(one["seconds"].item() for one in runs)
    return result


def errors(found: dict[str, Results]) -> dict[str, float]:
    """Standard error of the gains in each figure, the same for all posteriors.

    Trainings differ by more than images do, and few of them say little about how much; so the
    spread between seeds is that of all posteriors together.
    """
    made = {}
    for name in FIGURES:
        gains = torch.tensor(
            [of[name]["gain of each seed"] for family, of in found.items() if family != PLAIN]
        ).double()
        made[name] = (gains.var(dim=1).mean() / gains.shape[1]).sqrt().item()
    return made


def tables(results: Results) -> dict[str, str]:
    """Bounds by posterior, and what is gained on the plain VAE."""
    found = results["posteriors"]
    error = results["error of a gain"]
    rows = []
    for posterior, of in found.items():
        gains = ["-"] * 3
        if posterior != PLAIN:
            gains = [f"{of[name]['gain']:+.2f} ± {error[name]:.2f}" for name in ("elbo", "iwae")]
            gains.append(", ".join(f"{gain:+.2f}" for gain in of["iwae"]["gain of each seed"]))
        means = [
            f"{sign * of[name]['mean']:.2f} ± {of[name]['error']:.2f}"
            for name, sign in zip(FIGURES, (-1, 1, -1, 1), strict=True)
        ]
        rows.append([words(posterior), *means, *gains, f"{of['seconds per epoch']:.2f}"])
    head = ["posterior", "-ELBO", "KL", "-IWAE", "IWAE - ELBO"]
    head += ["gain in ELBO", "gain in IWAE", "of each seed", "s per epoch"]
    return {"flows: digits": markdown(head, rows)}


if __name__ == "__main__":
    run(NAME, parser(__doc__ or "").parse_args(), measure, tables)
