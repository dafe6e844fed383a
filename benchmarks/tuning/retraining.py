"""Settings trained again, each equally long: what they are worth on test images."""

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from tuning.candidates import Candidate
from vaesearch.data import ImageData
from vaesearch.errors import DivergedError
from vaesearch.evaluation import appraise, validate
from vaesearch.records import Arm
from vaesearch.training import new_state, train_epoch


@dataclass(frozen=True)
class Retrained:
    """Figures of the epoch with the best validation bits/dim; consistency in nats per image."""

    name: str
    seed: int
    epoch: int
    valid_bpd: float
    valid_consistency: float
    test_bpd: float
    test_consistency: float


def retrain(
    candidate: Candidate, data: ImageData, test: np.ndarray, seed: int, epochs: int
) -> Retrained:
    """Train for ``epochs`` epochs, and measure the best one on ``test`` images.

    Raises:
        RuntimeError: it diverged before the first epoch's end.
    """
    state = new_state(Arm(candidate.name, candidate.settings), data.shape, seed,
                      torch.device("cpu"))  # fmt: skip
    train, valid = (torch.tensor(np.asarray(x)) for x in (data.train, data.valid))
    best, kept, at = float("inf"), None, 0
    while state.epoch < epochs:
        try:
            train_epoch(state, train, seed)
        except DivergedError:
            break
        bpd = validate(state.model, valid, has_mass=True)["bpd"]
        if bpd < best:
            best, kept, at = bpd, copy.deepcopy(state.model.state_dict()), state.epoch
    if kept is None:
        raise RuntimeError(f"{candidate.name} has no epoch to measure")
    state.model.load_state_dict(kept)
    on_valid = appraise(state.model, valid, has_mass=True)
    on_test = appraise(state.model, torch.tensor(np.asarray(test)), has_mass=True)
    return Retrained(
        candidate.name, seed, at, on_valid["bpd"], on_valid["consistency"], on_test["bpd"],
        on_test["consistency"],
    )  # fmt: skip


def save(retrained: Retrained, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(asdict(retrained)))
    half.replace(path)


def load(path: Path) -> Retrained:
    return Retrained(**json.loads(path.read_text()))
