"""Features of a classifier of the data set's own classes: the default, which needs no network.

Features that tell the classes of a data set apart say more of its pictures than those of
photographs do. They depend on the training images, so the digest of these is part of every score.
"""

import hashlib
import json
import logging
import os
import uuid
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaesearch.data import ImageData
from vaesearch.data.cache import default_dir
from vaesearch.data.labels import Classes
from vaesearch.errors import InputError
from vaesearch.evaluation.extractors.classifier import (
    Classifier,
    Recipe,
    accuracy,
    new_classifier,
    train_classifier,
)

_log = logging.getLogger(__name__)


class LabelsExtractor:
    """Trained once for a data set, and kept beside the prepared images.

    Args:
        data: with labels; its training images are learned from.
        recipe: of the network and its training.

    Raises:
        InputError: the images have no labels, or all have the same one.
    """

    def __init__(self, *, data: ImageData, recipe: Recipe | None = None) -> None:
        if data.labels is None:
            raise InputError(
                f"extractor labels: {data.name} has no labels to learn features from. Give "
                "--extractor inception or your own module:Class, or the labels: y_train and "
                "y_test in the .npz file, a sub-folder for each class."
            )
        self.data, self.labels = data, data.labels
        self.classes = np.unique(self.labels.train)
        if len(self.classes) < 2:
            raise InputError(
                f"extractor labels: all images of {data.name} have the same label, so there is "
                "nothing to learn: give --extractor inception or your own module:Class."
            )
        self.recipe = recipe or Recipe()
        self.features = self.recipe.features

    @cached_property
    def digest(self) -> str:
        """Of the training images, their labels and the recipe."""
        recipe = json.dumps(self.recipe.to_dict(), sort_keys=True)
        digest = hashlib.sha256(f"{recipe} {self.data.fingerprint}".encode())
        digest.update(np.ascontiguousarray(self.labels.train).data)
        return digest.hexdigest()

    @property
    def facts(self) -> dict[str, Any]:
        """How well it learned the classes: the share of validation images that it gets right."""
        return {"accuracy": self._trained[1], "classes": len(self.classes)}

    def __call__(self, x: Tensor) -> Tensor:
        """Features ``[B, F]``."""
        return self._trained[0].to(x.device).embed(x)

    @cached_property
    def _trained(self) -> tuple[Classifier, float]:
        """The network and its accuracy."""
        path = default_dir() / f"extractor-{self.digest[:32]}.pt"
        network = new_classifier(self.data.shape, len(self.classes), self.recipe)
        right = _load(path, network)
        if right is None:
            network, right = self._train()
            _save(path, network, right)
        return network.eval().requires_grad_(False), right

    def _train(self) -> tuple[Classifier, float]:
        network = train_classifier(self.data.train, self._numbered(self.labels.train), self.recipe)
        valid = self._numbered(self.labels.valid)
        return network, accuracy(network, self.data.valid, valid)

    def _numbered(self, labels: Classes) -> Classes:
        """Classes as 0 to K-1; one that no training image has becomes another one's neighbour."""
        return np.searchsorted(self.classes, labels).astype(np.int64)


def _load(path: Path, network: Classifier) -> float | None:
    """Fill the network from a file; None where there is none that fits."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(saved["network"])
        return float(saved["accuracy"])
    # A file cut short, or of something else: torch and pickle raise all sorts of errors.
    except Exception:
        return None


def _save(path: Path, network: Classifier, right: float) -> None:
    draft = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"network": network.state_dict(), "accuracy": right}, draft)
        os.replace(draft, path)
    except OSError as error:
        _log.warning("no cache in %s (%s): the network is trained again", path.parent, error)
        with suppress(OSError):
            draft.unlink()
