"""One variant of ours and of pythae: trained by one loop, scored alike, timed in turn."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from digits import find_digits, load_digits
from torch import Tensor, nn

from vaes.pythae_models import PythaeDensities, make_model, make_trainer, without_networks
from vaes.scores import OurDensities, score_bounds, score_codes
from vaesearch.models.priors import LatentPrior
from vaesearch.models.vae import VAE, build_model
from vaesearch.objectives import Loss
from vaesearch.records import Arm, TrialSettings
from vaesearch.seeding import derive
from vaesearch.training import TrialState, make_optimizer, train_epoch

SHAPE = (1, 28, 28)
BASE = TrialSettings(
    "mlp", encoder="mlp", likelihood="bernoulli", latent_dim=16, width=0.5, batch_size=100
)
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True, eq=False)
class Variant:
    """A row.

    Attributes:
        name: in the tables.
        ours: settings that differ from the plain model's.
        kind: pythae's class.
        options: of pythae's configuration.
        has_bound: whether q(z|x) has a density on either side.
    """

    name: str
    ours: dict[str, Any]
    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    has_bound: bool = True


@dataclass
class Outcome:
    """Of one variant and seed, ours first.

    Attributes:
        scores: bounds; none of a variant that has none.
        codes: figures of the codes.
        epochs: seconds of each epoch of their own trainers.
        bare: of each epoch of the loop that is the same for both.
        beyond: parameters beyond the networks that both have.
        folded: pythae's planar layers that are not invertible.
    """

    scores: list[dict[str, float]]
    codes: list[dict[str, float]]
    epochs: list[list[float]]
    bare: list[list[float]]
    beyond: list[int]
    folded: int


class Kept:
    """Outcomes on file, so that a run that was stopped goes on.

    Args:
        path: JSON lines; none for nothing kept. An outcome is found again by the variant, the
            seed and the options, not by the code: delete the file after a change of that.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path and path.exists() else []
        self._known = {line["key"]: line["outcome"] for line in map(json.loads, lines)}

    def run(self, variant: Variant, seed: int, options: argparse.Namespace) -> Outcome:
        """The outcome, found on file or made and put there."""
        chosen = [options.images, options.epochs, options.samples, options.rounds, options.clock]
        key = repr((variant, seed, chosen, BASE))
        if key not in self._known:
            with tempfile.TemporaryDirectory() as folder:
                outcome = run(variant, seed, options, Path(folder))
            self._known[key] = asdict(outcome)
            if self._path:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a") as file:
                    file.write(json.dumps({"key": key, "outcome": asdict(outcome)}) + "\n")
        return Outcome(**self._known[key])


def run(variant: Variant, seed: int, options: argparse.Namespace, folder: Path) -> Outcome:
    """Train both by one loop, score them, and time their own trainers on models of the kind."""
    train, test = load_digits(find_digits(), binary=True)
    train, test = train[: options.images], test[: options.images // 4]
    ours, theirs = _models(variant, seed)
    settings, clock = ours.settings, CLOCKS[options.clock]
    if isinstance(ours.prior, LatentPrior):
        ours.prior.start_from(train, torch.Generator().manual_seed(seed))
    loss = Loss(settings)
    sides = [
        _bare_loop(ours, train, settings, seed, lambda x: loss(ours, x, None)),
        _bare_loop(theirs, train, settings, seed, lambda x: theirs({"data": x}, epoch=1).loss),
    ]
    bare = _in_turn(sides, options.epochs, clock)
    densities = (OurDensities(ours, seed), PythaeDensities(theirs))
    torch.manual_seed(seed)
    scores, codes = [], []
    for side in densities:
        scores += [score_bounds(side, test, options.samples)] if variant.has_bound else []
        codes.append(score_codes(side, test))
    folded = sum(layer.folds for layer in densities[1].planar_layers())
    beyond = [_beyond(ours), without_networks(theirs)]
    epochs = _in_turn(_trainers(variant, train, seed, folder), options.rounds, clock)
    return Outcome(scores, codes, epochs, bare, beyond, folded)


def _models(variant: Variant, seed: int) -> tuple[VAE, Any]:
    """Ours and pythae's, with the same initial weights where they have the same layers."""
    ours = build_model(replace(BASE, **variant.ours), SHAPE, seed)
    plain = build_model(BASE, SHAPE, seed)
    ours.encoder.load_state_dict(plain.encoder.state_dict())
    ours.decoder.load_state_dict(plain.decoder.state_dict())
    torch.manual_seed(seed)
    return ours, make_model(variant.kind, plain, variant.options)


def _bare_loop(
    model: nn.Module,
    train: Tensor,
    settings: TrialSettings,
    seed: int,
    cost: Callable[[Tensor], Tensor],
) -> Callable[[int], None]:
    """Epochs with the same batches and, where a model draws as many numbers, the same noise."""
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    size = settings.batch_size

    def epoch(number: int) -> None:
        model.train()
        torch.manual_seed(derive(seed, number))
        order = torch.randperm(len(train))
        for start in range(0, len(train) - size + 1, size):
            x = train[order[start : start + size]].float().div_(255)
            torch.manual_seed(derive(seed, number, start))
            optimizer.zero_grad()
            cost(x).backward()
            optimizer.step()

    return epoch


def _trainers(
    variant: Variant, train: Tensor, seed: int, folder: Path
) -> list[Callable[[int], Any]]:
    """An epoch of each side's own trainer."""
    ours, theirs = _models(variant, seed)
    settings = ours.settings
    state = TrialState(Arm("a", settings), ours, make_optimizer(ours, settings))
    trainer = make_trainer(
        theirs, train.float() / 255, settings.batch_size, settings.learning_rate, seed, folder
    )
    return [lambda number: train_epoch(state, train, seed), trainer.train_step]


def _beyond(model: VAE) -> int:
    """Parameters beyond encoder, decoder and the two heads of a diagonal Gaussian."""
    plain = sum(p.numel() for p in build_model(BASE, SHAPE).parameters())
    return sum(p.numel() for p in model.parameters()) - plain


def _in_turn(
    sides: list[Callable[[int], Any]], rounds: int, clock: Callable[[], float]
) -> list[list[float]]:
    """Seconds of each round of either side; who is first alternates."""
    seconds: list[list[float]] = [[], []]
    for number in range(1, rounds + 1):
        for index in (0, 1) if number % 2 else (1, 0):
            started = clock()
            sides[index](number)
            seconds[index].append(clock() - started)
    return seconds
