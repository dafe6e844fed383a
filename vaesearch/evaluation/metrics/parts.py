"""The KL of the bound in three parts: what codes say of images, of each other, of the prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.evaluation.estimates import Measurement, mean_of
from vaesearch.evaluation.metrics.latents import check_gaussian, check_standard, log_variances
from vaesearch.evaluation.subject import BATCH, Progress, Subject
from vaesearch.models.latents import LOG_2PI, Posterior

NUMBERS = 4_000_000  # densities at once


@dataclass(frozen=True)
class KLParts:
    """KL(q(z|x) || p(z)) as a sum, with q(z) the mean of q(z|x) over the images.

    ``index_code_mi`` is the mutual information of image and code, ``total_correlation`` is
    KL(q(z) || prod q(z_i)), and ``dimension_kl`` the sum of KL(q(z_i) || p(z_i)) (Hoffman &
    Johnson 2016; Chen et al. 2018). q(z) is that of exactly these images, all of them at every
    code, so nothing is left out as in estimates from batches; but it is not that of others.

    Args:
        images: the first so many of those measured on; the time grows with their square.

    Raises:
        InputError: ``images`` is no whole number of 2 or more.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("index_code_mi", "total_correlation", "dimension_kl"), ("nats per image", "")
    )
    images: int = 2000

    def __post_init__(self) -> None:
        whole("the images of kl-parts", self.images, 2)

    def check(self, subject: Subject) -> None:
        """Refuse posteriors without closed marginals, and priors that do not factorise."""
        check_standard("kl-parts", subject)
        check_gaussian("kl-parts", subject, "elbo for the whole KL, and aggregate")

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """One code for each image; errors are over images."""
        x = subject.images[: self.images]
        parts = [subject.model.encode(batch.float() / 255) for batch in torch.split(x, BATCH)]
        generator = subject.generator("kl-parts")
        z = torch.cat([part.rsample(generator) for part in parts]).double()
        pairs = zip(parts, torch.split(z, BATCH), strict=True)
        own = torch.cat([posterior.log_prob(codes.float()) for posterior, codes in pairs])
        joint, marginals = _aggregate_densities(z, parts, progress)
        prior = -0.5 * (z.square() + LOG_2PI).sum(dim=1)
        information = mean_of(own - joint)
        figures = {
            "index_code_mi": information,
            "total_correlation": mean_of(joint - marginals),
            "dimension_kl": mean_of(marginals - prior),
        }
        most = math.log(len(x))
        notes: tuple[str, ...] = (
            f"Of these {len(x)} images: index_code_mi is at most ln {len(x)} = {most:.2f} nats.",
        )
        if information.value > most - 1:
            notes += (
                "index_code_mi is at that limit: over more images it would be higher, and "
                "total_correlation lower.",
            )
        return Measurement(figures, {"images": len(x)}, notes)


def _aggregate_densities(
    z: Tensor, parts: list[Posterior], progress: Progress
) -> tuple[Tensor, Tensor]:
    """Log q(z) and the sum of log q(z_i), ``[N]`` each, of codes ``[N, D]``."""
    means = torch.cat([part.mean for part in parts]).double()
    log_variance = torch.cat([log_variances(part) for part in parts]).double()
    joint, marginals = [], []
    for codes in torch.split(z, max(1, NUMBERS // means.numel())):
        each = _log_normal(codes.unsqueeze(1), means, log_variance)  # [S, N, D]
        marginals.append(torch.logsumexp(each, dim=1).sum(dim=1))
        together = [part.log_prob(codes.float().unsqueeze(1)).double() for part in parts]
        joint.append(torch.logsumexp(torch.cat(together, dim=1), dim=1))
        progress(sum(map(len, joint)) / len(z))
    most = math.log(len(means))
    return torch.cat(joint) - most, torch.cat(marginals) - most * means.shape[1]


def _log_normal(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    return -0.5 * ((z - mean).square() * (-log_variance).exp() + log_variance + LOG_2PI)
