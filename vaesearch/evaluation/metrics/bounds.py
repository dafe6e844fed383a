"""Bounds on log p(x), and their parts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Measurement, mean_of
from vaesearch.evaluation.importance import iwae_under
from vaesearch.evaluation.metrics.aggregate import check_components
from vaesearch.evaluation.subject import BATCH, Progress, Subject, part_of
from vaesearch.models.latents import Prior
from vaesearch.objectives import elbo_terms

_LOW = "The logarithm of a mean of weights is low in expectation: iwae is a lower bound."


@dataclass(frozen=True)
class ELBO:
    """``elbo``, ``kl`` and ``reconstruction`` in nats per image.

    They are as training sees them: nats of a density are comparable within one likelihood only.

    Args:
        samples: of z for each image, over which the three are averaged.

    Raises:
        InputError: ``samples`` is no whole number of 1 or more.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "elbo": ("nats per image", "higher"),
        "kl": ("nats per image", ""),
        "reconstruction": ("nats per image", "higher"),
    }
    samples: int = 1

    def __post_init__(self) -> None:
        whole("the samples of elbo", self.samples)

    def check(self, subject: Subject) -> None:
        """Every model has one."""

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images, the noise of their samples included."""
        generator = subject.generator("elbo")
        parts: dict[str, list[Tensor]] = {"elbo": [], "kl": [], "reconstruction": []}
        for batch, x in enumerate(subject.batches()):
            terms = [elbo_terms(subject.model, x, generator) for _ in range(self.samples)]
            parts["elbo"].append(_mean([draw.elbo for draw in terms]))
            parts["kl"].append(_mean([draw.kl for draw in terms]))
            parts["reconstruction"].append(_mean([draw.log_likelihood for draw in terms]))
            progress(min(1.0, (batch + 1) * BATCH / len(subject.images)))
        return Measurement({name: mean_of(torch.cat(values)) for name, values in parts.items()})


def _mean(draws: list[Tensor]) -> Tensor:
    return torch.stack(draws).mean(dim=0)


@dataclass(frozen=True)
class MSE:
    """``mse`` per pixel, in units of [0, 1], of the reconstruction from the posterior's mean."""

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"mse": ("per pixel", "lower")}

    def check(self, subject: Subject) -> None:
        """Every model has one."""

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """The error is over images."""
        parts = [(subject.model(x) - x).square().flatten(1).mean(dim=1) for x in subject.batches()]
        return Measurement({"mse": mean_of(torch.cat(parts))})


@dataclass(frozen=True)
class BitsPerDim:
    """``bpd``: an upper bound on the bits that a pixel's level takes, from K samples of z.

    log p(x|z) is the probability mass of the levels, so models of any likelihood can be compared.

    Args:
        samples: K of the importance-weighted bound; with 1 it is the ELBO.

    Raises:
        InputError: ``samples`` is no whole number of 1 or more.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"bpd": ("bits/dim", "lower")}

    samples: int = 1

    def __post_init__(self) -> None:
        whole("the samples of bpd", self.samples)

    def check(self, subject: Subject) -> None:
        """Refuse likelihoods without a mass."""
        if not subject.has_mass:
            raise InputError(
                f"bpd: --likelihood {subject.model.settings.likelihood} is no probability of "
                "8-bit pixels; measure elbo and mse, or train with continuous-bernoulli."
            )

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """The error is over images."""
        (bounds,) = _bounds(subject, "bpd", self.samples, [None], progress, as_mass=True)
        return Measurement({"bpd": mean_of(-bounds / (math.log(2) * subject.data.dims))})


@dataclass(frozen=True)
class IWAE:
    """``iwae_K``: the importance-weighted bound on log p(x) of K samples, in nats per image.

    With ``gmm`` also ``iwae_K_gmm``, the bound with a mixture fitted to codes of training images
    for the prior, at the same samples of z (Lin et al. 2019, table 3), and ``iwae_K_gain``, how
    much higher that is.

    Args:
        samples: K, from q(z|x).
        gmm: Gaussians of full covariance in the mixture.

    Raises:
        InputError: one is no whole number, or below 1.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"iwae_*": ("nats per image", "higher")}
    samples: int = 100
    gmm: int | None = None

    def __post_init__(self) -> None:
        whole("the samples of iwae", self.samples)
        if self.gmm is not None:
            whole("the Gaussians of iwae's gmm", self.gmm)

    def check(self, subject: Subject) -> None:
        """Refuse more Gaussians than the training images can tell apart."""
        check_components(f"iwae:gmm={self.gmm}", self.gmm, subject)

    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images, the noise of their samples included."""
        name = f"iwae_{self.samples}"
        priors = [None] if self.gmm is None else [None, subject.mixture(self.gmm)]
        bounds = _bounds(subject, "iwae", self.samples, priors, progress)
        figures = {name: mean_of(bounds[0])}
        if self.gmm is not None:
            figures[f"{name}_gmm"] = mean_of(bounds[1])
            figures[f"{name}_gain"] = mean_of(bounds[1] - bounds[0])
        return Measurement(figures, notes=(_LOW,))


def _bounds(
    subject: Subject,
    name: str,
    samples: int,
    priors: Sequence[Prior | None],
    progress: Progress,
    *,
    as_mass: bool = False,
) -> Tensor:
    """Importance-weighted bounds of all images under P priors, ``[P, N]``."""
    generator, parts = subject.generator(name), []
    total = len(subject.images)
    for start, x in zip(range(0, total, BATCH), subject.batches(), strict=True):
        found = iwae_under(
            subject.model,
            x,
            generator,
            samples,
            priors,
            as_mass=as_mass,
            chunk=subject.chunk,
            progress=part_of(progress, start / total, len(x) / total),
        )
        parts.append(found)
    return torch.cat(parts, dim=1)
