"""A small network that learns the classes of a data set, the same one whenever it is trained."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaesearch.seeding import derive, torch_generator
from vaesearch.threads import threads

BATCH = 250  # images at once, where nothing is learned
SMALLEST = 8  # maps are halved until they are as small as this
WIDEST = 64
TINY = 1e-6  # deviation of a feature that is the same in all images


@dataclass(frozen=True)
class Recipe:
    """All that the weights follow from, but for the images and their labels.

    Attributes:
        features: F, the size of the last layer but one.
        channels: of the first maps; they double up to 64 as maps are halved.
        steps: of Adam, on random batches.
        batch: images in each.
        rate: of learning.
        version: raised whenever the code gives another network for the same numbers.
    """

    features: int = 64
    channels: int = 32
    steps: int = 800
    batch: int = 100
    rate: float = 1e-3
    version: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Classifier(nn.Module):
    """Strided convolutions, features, and a score for each class.

    Args:
        shape: ``(C, H, W)`` of the images.
        classes: how many there are.
        recipe: the sizes.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, shape: tuple[int, int, int], classes: int, recipe: Recipe) -> None:
        super().__init__()
        channels, side, _ = shape
        layers: list[nn.Module] = []
        wide = recipe.channels
        while side > SMALLEST or not layers:
            layers += [nn.Conv2d(channels, wide, 3, stride=2, padding=1), nn.ReLU()]
            channels, wide, side = wide, min(2 * wide, WIDEST), -(-side // 2)
        self.maps = nn.Sequential(*layers, nn.Flatten())
        # Features before a non-linearity are closer to the Gaussian that a Fréchet distance
        # takes them for, and none of them is dead.
        self.features = nn.Linear(channels * side * side, recipe.features)
        self.scores = nn.Linear(recipe.features, classes)
        self.register_buffer("centre", torch.zeros(recipe.features))
        self.register_buffer("spread", torch.ones(recipe.features))

    def embed(self, x: Tensor) -> Tensor:
        """Features ``[B, F]`` of images ``[B, C, H, W]`` in [0, 1], in their own units."""
        features: Tensor = (self._plain(x) - self.centre) / self.spread
        return features

    def forward(self, x: Tensor) -> Tensor:
        """A logit for each class, ``[B, K]``."""
        logits: Tensor = self.scores(F.relu(self._plain(x)))
        return logits

    @torch.no_grad()
    def take_units(self, images: np.ndarray) -> None:
        """Let each feature have mean 0 and deviation 1 over ``images``, uint8 ``[N, C, H, W]``."""
        plain = torch.cat([self._plain(x) for x in _batches(images)]).double()
        self.centre.copy_(plain.mean(dim=0))
        self.spread.copy_(plain.std(dim=0).clamp_min(TINY))

    def _plain(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(self.maps(2 * x - 1))
        return features


def new_classifier(shape: tuple[int, int, int], classes: int, recipe: Recipe) -> Classifier:
    """Untrained; the same weights everywhere."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(0, "extractor", "weights"))
        return Classifier(shape, classes, recipe)


def train_classifier(images: np.ndarray, classes: np.ndarray, recipe: Recipe) -> Classifier:
    """Train on uint8 ``[N, C, H, W]`` and class numbers 0..K-1, ``[N]``; on the CPU.

    No search's seed enters, and it runs on one thread: the same images give the same weights.
    """
    network = new_classifier(images.shape[1:], int(classes.max()) + 1, recipe)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.rate, fused=True)
    generator = torch_generator(0, "extractor", "order")
    chosen = torch.randint(len(images), (recipe.steps, recipe.batch), generator=generator)
    with threads(1), torch.enable_grad():
        for rows in chosen.numpy():
            optimizer.zero_grad(set_to_none=True)
            x, wanted = _pictures(images[rows]), torch.from_numpy(classes[rows])
            F.cross_entropy(network(x), wanted).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        network.take_units(images)
    return network


@torch.no_grad()
def accuracy(network: Classifier, images: np.ndarray, classes: np.ndarray) -> float:
    """The share of images, uint8 ``[N, C, H, W]``, whose class has the highest score."""
    best = torch.cat([network(x).argmax(dim=1) for x in _batches(images)])
    return float((best.numpy() == classes).mean())


def _batches(images: np.ndarray) -> Iterator[Tensor]:
    for start in range(0, len(images), BATCH):
        yield _pictures(images[start : start + BATCH])


def _pictures(images: np.ndarray) -> Tensor:
    return torch.tensor(np.asarray(images)).float().div_(255)
