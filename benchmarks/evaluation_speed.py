"""Seconds per image of held-out figures: vaesearch, a loop over the images, and pythae.

    python benchmarks/evaluation_speed.py --out benchmarks/results/evaluation_speed.md

All measure the same trained models on one thread, in turn. The loops take a few of the images and
are compared by the image; what both sides found is compared on those images.
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from common import hardware, publish, ratios, spread, table
from reproduce.shared import digits, trained
from torch import Tensor
from vaes import plain_loops
from vaes.pythae_models import make_model

from vaesearch.evaluation.ais import annealed_importance
from vaesearch.evaluation.chunks import usual_chunk
from vaesearch.evaluation.importance import iwae
from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.local import Ascent, improve, local_family, log_weights
from vaesearch.models.vae import VAE
from vaesearch.records import TrialSettings
from vaesearch.seeding import torch_generator

SEED = 0
SAMPLES, TEMPERATURES, CHAINS = 5000, 200, 8
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
HEAD = [
    "Figure", "Model", "Beside", "Ours, s / 100 images", "Theirs, s / 100 images",
    "Theirs / ours", "Ours, nats", "Ours - theirs, nats",
]  # fmt: skip


@dataclass(frozen=True)
class Contender:
    """One way to a figure: of so many images, values in nats for each of them ``[count]``."""

    find: Callable[[Tensor], Tensor]
    count: int


@dataclass(frozen=True)
class Case:
    """A row or more: ours first, and what it is set beside, by name."""

    figure: str
    model: str
    contenders: dict[str, Contender]


def noise(name: str) -> torch.Generator:
    return torch_generator(SEED, name)


# --- importance weighting -----------------------------------------------------------------------


def importance_case(name: str, model: VAE, options: argparse.Namespace) -> Case:
    images, few = options.images, options.few
    contenders = {
        "ours": Contender(lambda x: iwae(model, x, noise("iwae"), SAMPLES), images),
        "loop": Contender(
            lambda x: plain_loops.importance_weighted(model, x, SAMPLES, noise("loop")), few
        ),
    }
    try:
        theirs = make_model("VAE", copy.deepcopy(model), {}).eval()
    except ModuleNotFoundError:
        return Case(f"IWAE, {SAMPLES:,} samples", name, contenders)
    contenders["pythae get_nll"] = Contender(lambda x: pythae_bounds(theirs, x), few)
    return Case(f"IWAE, {SAMPLES:,} samples", name, contenders)


def pythae_bounds(model: torch.nn.Module, images: Tensor) -> Tensor:
    """Log p(x) of each image, in pythae's batches of 100 samples.

    It loops over images anyway, and returns their mean alone: so it is asked for one at a time.
    """
    torch.manual_seed(SEED)
    return torch.tensor([model.get_nll(x[None], SAMPLES, batch_size=100) for x in images])


# --- local posteriors ---------------------------------------------------------------------------


def local_case(name: str, model: VAE, options: argparse.Namespace) -> Case:
    def one_by_one(x: Tensor) -> Tensor:
        return torch.cat([local_bounds(model, one) for one in x.split(1)])

    contenders = {
        "ours": Contender(lambda x: local_bounds(model, x), options.points),
        "loop": Contender(one_by_one, options.few),
    }
    return Case("L[q*] of a local diagonal Gaussian", name, contenders)


def local_bounds(model: VAE, x: Tensor) -> Tensor:
    """The bound of the best diagonal Gaussian of each image, from 1,000 samples."""
    joint = Joint(model, x, chunk=usual_chunk(x[0].numel(), x.device))
    best, _ = improve(local_family(model, x), joint, noise, Ascent())
    return log_weights(best(), joint, noise("bound"), 1000).mean(dim=0)


# --- annealing ----------------------------------------------------------------------------------


def annealing_case(name: str, model: VAE, options: argparse.Namespace) -> Case:
    def ours(x: Tensor) -> Tensor:
        joint = Joint(model, x, chunk=usual_chunk(x[0].numel(), x.device))
        return annealed_importance(
            joint, noise("ais"), chains=CHAINS, temperatures=TEMPERATURES
        ).log_p

    def loop(x: Tensor) -> Tensor:
        return plain_loops.annealed(model, x, CHAINS, TEMPERATURES, noise("loop"))

    contenders = {
        "ours": Contender(ours, options.points),
        "loop": Contender(loop, options.few),
    }
    return Case(f"AIS, {TEMPERATURES} temperatures, {CHAINS} chains", name, contenders)


# --- measuring ----------------------------------------------------------------------------------


def measure(case: Case, images: Tensor, options: argparse.Namespace) -> list[list[str]]:
    """A row for each contender but ours."""
    clock = CLOCKS[options.clock]
    seconds: dict[str, list[float]] = {name: [] for name in case.contenders}
    values: dict[str, Tensor] = {}
    for name, contender in case.contenders.items():  # once for the caches
        contender.find(images[: 1 if name != "ours" else 10])
    for turn in range(options.rounds):
        names = list(case.contenders)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            contender = case.contenders[name]
            started = clock()
            values[name] = contender.find(images[: contender.count])
            seconds[name].append(100 * (clock() - started) / contender.count)
    return [_row(case, name, seconds, values) for name in case.contenders if name != "ours"]


def _row(
    case: Case, name: str, seconds: dict[str, list[float]], values: dict[str, Tensor]
) -> list[str]:
    ours = seconds["ours"]
    return [
        case.figure,
        case.model,
        f"{name} ({case.contenders[name].count} images)",
        f"{spread(ours)} ({case.contenders['ours'].count} images)",
        spread(seconds[name]),
        f"**{statistics.median(ratios(seconds[name], ours)):.1f}** "
        f"({min(ratios(seconds[name], ours)):.1f}-{max(ratios(seconds[name], ours)):.1f})",
        _with_error(values["ours"]),
        _with_error(values["ours"][: len(values[name])] - values[name]),
    ]


def _with_error(values: Tensor) -> str:
    return f"{values.mean():.3f} ± {values.std() / len(values) ** 0.5:.3f}"


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(1)
    data = digits(options.data_dir, binary=True)
    images = torch.tensor(data.test[: options.images]).float() / 255
    dense = trained(_settings("reproduce.networks:Encoder"), data, 10, seed=SEED)
    conv = trained(_settings("conv"), data, 2, seed=SEED)
    for model in (dense, conv):
        model.requires_grad_(False)
    decoder = "200-200 ELU decoder, 20 latents"
    cases = [
        importance_case(f"dense encoder, {decoder}", dense, options),
        importance_case(f"conv encoder, {decoder}", conv, options),
        local_case(f"dense encoder, {decoder}", dense, options),
        annealing_case(f"dense encoder, {decoder}", dense, options),
    ]
    chosen = [case for case in cases if options.only in f"{case.figure} {case.model}"]
    rows = []
    for case in chosen:
        print(f"{case.figure}, {case.model} ...", file=sys.stderr)
        rows += measure(case, images, options)
    text = (
        "# Evaluation: seconds for 100 binary digits on one thread\n\n"
        f"{hardware('torch', 'pythae')}. {options.rounds} rounds in turn, {options.clock} clock; "
        "median (min-max). Nats are means over images with their standard errors, and the "
        f"differences are of the same images.\n\n{table(HEAD, rows)}"
    )
    publish(text, options.out)


def _settings(encoder: str) -> TrialSettings:
    return TrialSettings(
        "reproduce.networks:Decoder",
        encoder=encoder,
        likelihood="bernoulli",
        latent_dim=20,
        batch_size=100,
    )


def _parser() -> argparse.ArgumentParser:
    folder = Path(__file__).parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=folder, help="folder with mnist.npz")
    parser.add_argument("--images", type=int, default=1000, help="of importance weighting")
    parser.add_argument("--points", type=int, default=100, help="images of the other figures")
    parser.add_argument("--few", type=int, default=20, help="images of the loops")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: where other programs are running"
    )
    parser.add_argument("--only", default="", help="rows whose figure and model hold this")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    return parser


if __name__ == "__main__":
    main()
