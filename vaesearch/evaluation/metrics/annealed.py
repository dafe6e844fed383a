"""Annealed importance sampling of images, and its check on images with a known latent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from vaesearch.arguments import whole
from vaesearch.evaluation.ais import LEAPFROGS, Annealed, annealed_importance, path_of_temperatures
from vaesearch.evaluation.bidirectional import bidirectional, simulate
from vaesearch.evaluation.chunks import usual_chunk
from vaesearch.evaluation.estimates import Measurement, mean_of
from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.subject import Progress, Subject, part_of

IMAGES = 100  # annealed at once; their chains share no noise with those of the next
LEAST_ACCEPTANCE = 0.4  # with less the steps were too long, and chains stay where they are

_NATS = "nats per image"
_LOW = "The logarithm of a mean of weights is low in expectation: ais is a lower bound."


@dataclass(frozen=True)
class AIS:
    """``ais``: log p(x) in nats by annealed importance sampling (Neal 2001; Wu et al. 2017).

    ``ais_acceptance`` is the share of the Hamiltonian proposals that were taken.

    Args:
        temperatures: from the prior to the posterior, both included.
        chains: for each image.
        leapfrogs: gradients per proposal.
        schedule: of the temperatures, ``linear`` or ``sigmoidal``.

    Raises:
        InputError: one is out of range.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "ais": (_NATS, "higher"),
        "ais_acceptance": ("share", ""),
    }
    temperatures: int = 200
    chains: int = 8
    leapfrogs: int = LEAPFROGS
    schedule: str = "linear"

    def __post_init__(self) -> None:
        _check(self.temperatures, self.chains, self.leapfrogs, self.schedule)

    def check(self, subject: Subject) -> None:
        """Every model has one."""

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images, the noise of their chains included."""
        generator, found = subject.generator("ais"), []
        total = len(subject.images)
        for start, x in zip(range(0, total, IMAGES), subject.batches(IMAGES), strict=True):
            joint = Joint(
                subject.model, x, chunk=subject.chunk or usual_chunk(x[0].numel(), x.device)
            )
            annealed = annealed_importance(
                joint,
                generator,
                chains=self.chains,
                temperatures=self.temperatures,
                leapfrogs=self.leapfrogs,
                schedule=self.schedule,
                progress=part_of(progress, start / total, len(x) / total),
            )
            found.append(annealed)
        acceptance = torch.cat([part.acceptance for part in found])
        figures = {
            "ais": mean_of(torch.cat([part.log_p for part in found])),
            "ais_acceptance": mean_of(acceptance),
        }
        return Measurement(figures, notes=(_LOW, *_notes(acceptance.mean().item())))


@dataclass(frozen=True)
class BDMC:
    """How exact AIS is: bounds from both sides, on images made by the model (Grosse et al. 2015).

    ``bdmc_lower`` and ``bdmc_upper`` are log p(x) in nats of the simulated images by annealing
    from the prior, and back from the latent that an image was made from; ``bdmc_gap`` is the
    second less the first, and ``bdmc_acceptance`` the share of proposals taken.

    Args:
        temperatures: of both ways, and so of the AIS that is to be checked.
        chains: for each image.
        leapfrogs: gradients per proposal.
        schedule: of the temperatures, ``linear`` or ``sigmoidal``.
        images: that are simulated.

    Raises:
        InputError: one is out of range.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "bdmc_lower": (_NATS, "higher"),
        "bdmc_upper": (_NATS, "lower"),
        "bdmc_gap": (_NATS, "lower"),
        "bdmc_acceptance": ("share", ""),
    }
    temperatures: int = 200
    chains: int = 8
    leapfrogs: int = LEAPFROGS
    schedule: str = "linear"
    images: int = 100

    def __post_init__(self) -> None:
        _check(self.temperatures, self.chains, self.leapfrogs, self.schedule)
        whole("the images of bdmc", self.images, least=2)

    def check(self, subject: Subject) -> None:
        """Every model can make images."""

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over the simulated images; that of the gap is of their differences."""
        made, noise = subject.generator("bdmc", "images"), subject.generator("bdmc", "chains")
        x, z = simulate(subject.model, self.images, made)
        parts = []
        for start in range(0, self.images, IMAGES):
            batch = slice(start, start + IMAGES)
            bounds = bidirectional(
                subject.model,
                x[batch],
                z[batch],
                noise,
                chains=self.chains,
                temperatures=self.temperatures,
                leapfrogs=self.leapfrogs,
                schedule=self.schedule,
                chunk=subject.chunk,
                progress=part_of(progress, start / self.images, len(x[batch]) / self.images),
            )
            parts.append(bounds)
        both = [_joined([p.lower for p in parts]), _joined([p.upper for p in parts])]
        acceptance = (both[0].acceptance + both[1].acceptance) / 2
        figures = {
            "bdmc_lower": mean_of(both[0].log_p),
            "bdmc_upper": mean_of(both[1].log_p),
            "bdmc_gap": mean_of(torch.cat([part.gap for part in parts])),
            "bdmc_acceptance": mean_of(acceptance),
        }
        notes = ("The images are the model's own: on real ones the gap may be wider.",)
        return Measurement(figures, notes=(*notes, *_notes(acceptance.mean().item())))


def _check(temperatures: int, chains: int, leapfrogs: int, schedule: str) -> None:
    path_of_temperatures(temperatures, schedule)
    whole("the chains of annealed importance sampling", chains)
    whole("the leapfrogs of annealed importance sampling", leapfrogs)


def _joined(parts: list[Annealed]) -> Annealed:
    return Annealed(
        torch.cat([part.log_weights for part in parts], dim=1),
        torch.cat([part.acceptance for part in parts]),
        parts[0].is_reverse,
    )


def _notes(acceptance: float) -> list[str]:
    if acceptance >= LEAST_ACCEPTANCE:
        return []
    return [
        f"Only {acceptance:.0%} of the proposals were taken: the steps had no time to become "
        "short enough, so take more temperatures."
    ]
