"""Images per second of one training thread: vaesearch, a bare PyTorch loop and pythae.

    python benchmarks/training_loop.py --out benchmarks/results/training_loop.md

All train the same layers from the same weights with the same batch size and the same loss; the
bare loop is checked to give the same number. They take turns, and ratios are of one turn.
"""

import argparse
import math
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import hardware, publish, ratios, spread, table
from torch import Tensor
from torch.nn import functional as F
from vaes.pythae_models import pythae_parts

from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.data.core import fingerprint
from vaesearch.models.vae import VAE, build_model
from vaesearch.pull import Workbench
from vaesearch.records import Arm, PullRequest, TrialSettings
from vaesearch.seeding import derive, torch_generator
from vaesearch.training import make_optimizer, new_state, train_epoch

SEED = 0
SHAPE = (1, 32, 32)
PYTHAE_LOSSES = {"relaxed-bernoulli": "bce", "gaussian:1": "mse"}
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
Epoch = Callable[[], float]  # trains one epoch; returns the mean loss


@dataclass(frozen=True)
class Case:
    """One row: an architecture and how many times ``--images`` it trains on per epoch."""

    name: str
    settings: TrialSettings
    share: float = 1.0


def _case(
    encoder: str, decoder: str, likelihood: str, *, share: float, width: float = 0.25,
    precision: str = "float32",
) -> Case:  # fmt: skip
    settings = TrialSettings(
        decoder, encoder, likelihood=likelihood, width=width, precision=precision
    )
    name = f"{encoder} + {decoder}, width {width:g}, {likelihood}"
    return Case(name if precision == "float32" else f"{name}, {precision}", settings, share)


# Width 0.25 is the default; the last two rows show how it goes on as the arithmetic grows.
CASES = (
    _case("mlp", "mlp", "relaxed-bernoulli", share=1),
    _case("mlp", "mlp-wide", "gaussian:1", share=1),
    _case("conv", "mlp", "relaxed-bernoulli", share=1 / 2),
    _case("conv", "linear-deconv", "gaussian:1", share=1 / 4),
    _case("conv", "linear-deconv", "discretized-normal", share=1 / 8),
    _case("conv", "deconv", "relaxed-bernoulli", share=1 / 8),
    _case("conv", "deconv", "relaxed-bernoulli", share=1 / 8, precision="bfloat16"),
    _case("conv", "deconv", "relaxed-bernoulli", share=1 / 4, width=0.125),
    _case("mlp", "mlp", "relaxed-bernoulli", share=1 / 2, width=1),
)


# --- ours ---------------------------------------------------------------------------------------


def our_training(settings: TrialSettings, images: np.ndarray) -> Epoch:
    """The training of an epoch alone."""
    state = new_state(Arm("arm", settings), SHAPE, SEED, torch.device("cpu"))
    resident = torch.tensor(images)

    def epoch() -> float:
        return train_epoch(state, resident, SEED) or math.nan

    return epoch


def our_pull(settings: TrialSettings, images: np.ndarray, folder: Path) -> Epoch:
    """A pull of one epoch: training, validation on a tenth as many images, durable checkpoint."""
    valid = images[: len(images) // 10]
    data = ImageData("random", images, valid, valid, "8bit", fingerprint(images))
    store = CheckpointStore(folder)
    bench = Workbench(data, store, seed=SEED, reward="elbo")
    arm = Arm("arm", settings)
    done, digest = 0, None

    def epoch() -> float:
        nonlocal done, digest
        report = bench.pull(PullRequest(done, arm, done, 1, digest=digest))
        done += 1
        digest = report.checkpoints[done]
        return report.epochs[0].metrics["train_loss"]

    return epoch


# --- bare PyTorch -------------------------------------------------------------------------------


def bare_training(settings: TrialSettings, images: np.ndarray) -> Epoch:
    """What one would write by hand for this one model, over the same layers."""
    model = _same_model(settings)
    optimizer = make_optimizer(model, settings)
    nll = BARE_LIKELIHOODS[settings.likelihood]
    resident = torch.tensor(images)
    size, done = settings.batch_size, 0
    model.train()

    def epoch() -> float:
        nonlocal done
        done += 1
        # The stream of the arm's epoch, so that the losses can be compared.
        generator = torch_generator(SEED, "arm", done)
        order = torch.randperm(len(resident), generator=generator)
        total = torch.zeros(())
        for start in range(0, len(resident) - size + 1, size):
            x = resident[order[start : start + size]].float() / 255
            optimizer.zero_grad()
            loss = bare_loss(model, x, generator, nll)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / (len(resident) // size)

    return epoch


def bare_loss(model: VAE, x: Tensor, generator: torch.Generator, nll: Callable) -> Tensor:
    narrow = torch.autocast("cpu", enabled=model.settings.precision == "bfloat16")
    with narrow:
        features = model.encoder(x)
        mean = model.posterior.mean(features).float()
        log_variance = model.posterior.log_variance(features).float()
    noise = torch.randn(mean.shape, generator=generator)
    z = mean + torch.exp(0.5 * log_variance) * noise
    kl = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum()
    with narrow:
        logits = model.decoder(z)
    return (nll(logits.float(), x, model) + kl) / len(x)


def bernoulli_nll(logits: Tensor, x: Tensor, model: VAE) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum")


def unit_normal_nll(logits: Tensor, x: Tensor, model: VAE) -> Tensor:
    squares = F.mse_loss(torch.sigmoid(logits), x, reduction="sum")
    return 0.5 * squares + 0.5 * x.numel() * math.log(2 * math.pi)


def discretized_normal_nll(logits: Tensor, x: Tensor, model: VAE) -> Tensor:
    """The textbook's difference of two floored values, which knows no far tails as ours does."""
    scale = torch.exp(0.5 * model.likelihood.log_variance)
    centred = x - 0.5 - logits
    above = torch.special.ndtr((centred + 0.5 / 255) / scale).where(x < 1, 1.0)
    below = torch.special.ndtr((centred - 0.5 / 255) / scale).where(x > 0, 0.0)
    return -(above - below).clamp_min(1e-12).log().sum()


BARE_LIKELIHOODS = {
    "relaxed-bernoulli": bernoulli_nll,
    "gaussian:1": unit_normal_nll,
    "discretized-normal": discretized_normal_nll,
}


def _same_model(settings: TrialSettings) -> VAE:
    return build_model(settings, SHAPE, derive(SEED, "arm"))


# --- pythae -------------------------------------------------------------------------------------


def pythae_training(settings: TrialSettings, images: np.ndarray, folder: Path) -> Epoch | None:
    """Trainer of pythae with its own loader and optimiser settings.

    Timed is its ``train_step``, an epoch of training; neither start-up nor evaluation, progress
    bar or the copy it makes of the best model. None where pythae or the likelihood is missing.
    """
    if settings.likelihood not in PYTHAE_LOSSES:
        return None
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            trainer = _pythae_trainer(settings, images, folder)
    except ModuleNotFoundError:
        return None
    done = 0

    def epoch() -> float:
        nonlocal done
        done += 1
        return trainer.train_step(done)

    return epoch


def _pythae_trainer(settings: TrialSettings, images: np.ndarray, folder: Path) -> Any:
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAEConfig
    from pythae.models.vae import vae_model
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import CallbackHandler, TrainingCallback

    config = VAEConfig(
        input_dim=SHAPE,
        latent_dim=settings.latent_dim,
        reconstruction_loss=PYTHAE_LOSSES[settings.likelihood],
    )
    encoder, decoder = pythae_parts(_same_model(settings))
    pixels = torch.tensor(images).float() / 255
    trainer = BaseTrainer(
        vae_model.VAE(config, encoder=encoder, decoder=decoder),
        BaseDataset(pixels, torch.zeros(len(pixels))),
        training_config=BaseTrainerConfig(
            output_dir=str(folder),
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            no_cuda=True,
        ),
    )
    trainer.prepare_training()
    trainer.callback_handler = CallbackHandler([TrainingCallback()], trainer.model)
    return trainer


# --- measuring ----------------------------------------------------------------------------------


def measure(case: Case, options: argparse.Namespace, folder: Path) -> dict[str, list[float]]:
    """Images per second of every contender in every round."""
    images = _images(round(options.images * case.share), case.settings.batch_size)
    contenders: dict[str, Epoch | None] = {
        "training": our_training(case.settings, images),
        "pull": our_pull(case.settings, images, folder / "checkpoints"),
        "bare": bare_training(case.settings, images),
        "pythae": pythae_training(case.settings, images, folder / "pythae"),
    }
    present = {name: epoch for name, epoch in contenders.items() if epoch is not None}
    epochs = _warm_up(present, options.seconds)
    clock = CLOCKS[options.clock]
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(options.rounds):
        for name in _rotated(list(present), number):
            started = clock()
            for _ in range(epochs):
                present[name]()
            rates[name].append(epochs * len(images) / (clock() - started))
    return rates


def _warm_up(contenders: dict[str, Epoch], seconds: float) -> int:
    """Two epochs of each; the epochs per turn so that the bare loop's take ``seconds``."""
    first = {name: epoch() for name, epoch in contenders.items()}
    for name in ("training", "pull"):
        if not math.isclose(first[name], first["bare"], rel_tol=1e-4):
            raise AssertionError(f"{name}: loss {first[name]}, bare loop {first['bare']}")
    started = time.perf_counter()
    contenders["bare"]()
    taken = time.perf_counter() - started
    for name in contenders.keys() - {"bare"}:
        contenders[name]()
    return max(1, round(seconds / taken))


def _rotated(names: list[str], by: int) -> list[str]:
    """Each takes each place in turn, lest one always follows the same other."""
    by %= len(names)
    return names[by:] + names[:by]


def _images(count: int, batch: int) -> np.ndarray:
    """Random levels, whole batches of them; speed does not depend on what they show."""
    count = max(1, count // batch) * batch
    return np.random.default_rng(SEED).integers(0, 256, (count, *SHAPE), np.uint8)


def _why_missing(case: Case) -> str:
    return "pythae not installed" if case.settings.likelihood in PYTHAE_LOSSES else "has no such"


def _row(case: Case, rates: dict[str, list[float]]) -> list[str]:
    training, pull, bare, pythae = (rates[n] for n in ("training", "pull", "bare", "pythae"))
    return [
        case.name,
        *(spread(r, 0) for r in (training, pull, bare)),
        spread(pythae, 0) if pythae else _why_missing(case),
        spread(ratios(training, bare)),
        spread(ratios(training, pythae)),
        spread(ratios(pull, pythae)),
    ]


HEAD = [
    "Model",
    "Ours, training",
    "Ours, whole pull",
    "Bare loop",
    "pythae",
    "Training / bare",
    "Training / pythae",
    "Pull / pythae",
]


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(1)
    cases = [c for c in CASES if options.only in c.name]
    rows = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(_row(case, measure(case, options, Path(folder))))
    text = (
        "# Training loop: images per second on one thread\n\n"
        f"{hardware('torch', 'pythae')}. {'x'.join(map(str, SHAPE))} images, batches of 128, "
        f"{options.rounds} rounds in turn, {options.clock} clock; "
        f"median (min-max).\n\n{table(HEAD, rows)}"
    )
    publish(text, options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=16_384, help="per epoch of the first row")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="per turn of the bare loop")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: where other programs are running"
    )
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    return parser


if __name__ == "__main__":
    main()
