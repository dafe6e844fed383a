"""The evidence lower bound and its parts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Measurement, mean_of
from vaesearch.evaluation.importance import iwae
from vaesearch.evaluation.subject import BATCH, Progress, Subject
from vaesearch.objectives import elbo_terms


@dataclass(frozen=True)
class ELBO:
    """``elbo``, ``kl`` and ``reconstruction`` in nats per image, at one sample of z for each.

    They are as training sees them: nats of a density are comparable within one likelihood only.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "elbo": ("nats per image", "higher"),
        "kl": ("nats per image", ""),
        "reconstruction": ("nats per image", "higher"),
    }

    def check(self, subject: Subject) -> None:
        """Every model has one."""

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images, the noise of their samples included."""
        generator = subject.generator("elbo")
        parts: dict[str, list[Tensor]] = {"elbo": [], "kl": [], "reconstruction": []}
        for batch, x in enumerate(subject.batches()):
            terms = elbo_terms(subject.model, x, generator)
            parts["elbo"].append(terms.elbo)
            parts["kl"].append(terms.kl)
            parts["reconstruction"].append(terms.log_likelihood)
            progress(min(1.0, (batch + 1) * BATCH / len(subject.images)))
        return Measurement({name: mean_of(torch.cat(values)) for name, values in parts.items()})


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
        generator = subject.generator("bpd")
        parts = []
        for batch, x in enumerate(subject.batches()):
            parts.append(iwae(subject.model, x, generator, self.samples, as_mass=True))
            progress(min(1.0, (batch + 1) * BATCH / len(subject.images)))
        bits = -torch.cat(parts) / (math.log(2) * subject.data.dims)
        return Measurement({"bpd": mean_of(bits)})
