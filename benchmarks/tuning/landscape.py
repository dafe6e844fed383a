"""What all methods search: settings go in, validation bits/dim come out, an epoch at a time.

Training and validation are those of a pull, without its checkpoints. Weights, order of the images
and noise follow from the seed and the number of the trial, so that two methods that give the same
trial the same settings see the same curve to the last digit.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaesearch.compatibility import has_mass
from vaesearch.config import TuneConfig
from vaesearch.data import ImageData, load_data
from vaesearch.errors import DivergedError
from vaesearch.evaluation import validate
from vaesearch.models.vae import VAE
from vaesearch.records import Arm, TrialSettings
from vaesearch.space import Space, load_space
from vaesearch.training import TrialState, new_state, train_epoch

SPACE = Path(__file__).parent / "digits.yaml"


@dataclass(frozen=True)
class Problem:
    """What is searched, by all methods alike.

    Attributes:
        cap: most epochs of one trial.
        train_limit: most training images; None for all.
    """

    dataset: str = "digits"
    image_size: int = 8
    width: float = 0.1
    decoder: str = "mlp"
    space: str = str(SPACE)
    cap: int = 30
    train_limit: int | None = None

    def config(self, seed: int, **more: Any) -> TuneConfig:
        """The options of ``vaesearch tune`` for it."""
        return TuneConfig(
            dataset=self.dataset, image_size=self.image_size,
            width=self.width, decoders=self.decoder, space=self.space, seed=seed,
            max_epochs_per_arm=self.cap, train_limit=self.train_limit, backend="local",
            tracking_uri="none", **more,
        )  # fmt: skip


@dataclass(frozen=True)
class Epoch:
    """A finished epoch of a trial: validation bits/dim, and seconds of training and validation."""

    number: int
    bpd: float
    seconds: float


@dataclass
class Landscape:
    """The problem with its data in memory, and the seed of a run."""

    problem: Problem
    seed: int
    data: ImageData = field(init=False)
    config: TuneConfig = field(init=False)
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        asked = self.problem.config(self.seed, trials=1)
        self.data = load_data(asked)
        self.config = asked.resolved(images=len(self.data.train), channels=self.data.shape[0])
        self.space = load_space(self.problem.space)

    @cached_property
    def _train(self) -> torch.Tensor:
        return torch.tensor(np.asarray(self.data.train))

    @cached_property
    def _valid(self) -> torch.Tensor:
        return torch.tensor(np.asarray(self.data.valid))

    def settings(self, values: dict[str, Any]) -> TrialSettings:
        """What ``values`` in the space stand for."""
        ((encoder, decoder),) = self.config.groups().values()
        options: dict[str, Any] = dict(self.space.options(values))
        return replace(self.config.settings(encoder, decoder), **options)

    def arm(self, trial: int, values: dict[str, Any]) -> Arm:
        """Named as in a search of ours: weights and noise follow from the name."""
        return Arm(f"trial-{trial:03d}", self.settings(values))

    def start(self, arm: Arm) -> TrialState:
        """The arm before its first epoch."""
        return new_state(arm, self.data.shape, self.seed, torch.device("cpu"))

    def epoch(self, state: TrialState, deadline: float | None = None) -> Epoch | None:
        """Train and validate once; None where the deadline came first.

        Raises:
            DivergedError: as in a search.
        """
        began = time.perf_counter()
        if train_epoch(state, self._train, self.seed, deadline=deadline) is None:
            return None
        figures = validate(state.model, self._valid, has_mass=has_mass(state.arm.settings))
        if not all(np.isfinite(value) for value in figures.values()):
            raise DivergedError(f"validation figures are no numbers in epoch {state.epoch}")
        return Epoch(state.epoch, figures["bpd"], time.perf_counter() - began)

    def epochs(self, arm: Arm, deadline: float | None = None) -> Iterator[Epoch]:
        """All epochs of ``arm`` up to the cap, or to the deadline, or until it diverges."""
        state = self.start(arm)
        while state.epoch < self.problem.cap:
            try:
                epoch = self.epoch(state, deadline)
            except DivergedError:
                return
            if epoch is None:
                return
            yield epoch

    def again(self, arm: Arm, epochs: int) -> tuple[float, float]:
        """Validation and test bits/dim of ``arm`` after ``epochs`` epochs, trained anew."""
        state = self.start(arm)
        last = None
        while state.epoch < epochs:
            last = self.epoch(state)
        assert last is not None
        return last.bpd, self.test(state.model, arm.settings)

    def test(self, model: VAE, settings: TrialSettings) -> float:
        """Test bits/dim."""
        images = torch.tensor(np.asarray(self.data.test))
        return float(validate(model, images, has_mass=has_mass(settings))["bpd"])
