"""Whether a picture that the model made of a code is encoded as that code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Measurement, mean_of
from vaesearch.evaluation.subject import BATCH, Progress, Subject
from vaesearch.models.latents import Posterior, has_density, kl_divergence
from vaesearch.models.vae import VAE

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Consistency:
    """KL(q(z|x') || q(z|x)) in nats, with x' the mean of p(x|z) (Liu, Lin & Clark 2020).

    ``consistency`` is for z drawn from q(z|x), ``consistency_mean`` for z the mean of q(z|x). In
    closed form for Gaussians, else at one draw of q(z|x') for each x'.

    Args:
        samples: of z for each image.

    Raises:
        InputError: ``samples`` is no whole number, or below 1.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"consistency*": ("nats per image", "lower")}
    samples: int = 5

    def __post_init__(self) -> None:
        whole("the samples of consistency", self.samples)

    @torch.no_grad()
    def check(self, subject: Subject) -> None:
        """Refuse posteriors without a density."""
        if not has_density(subject.model.encode(next(subject.batches())[:1])):
            raise InputError(
                "consistency compares densities of z, and --posterior "
                f"{subject.model.settings.posterior} has none, only a bound: measure mse, or "
                "train with --posterior iaf:4."
            )

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images, each the mean of its samples."""
        model, chunk = subject.model, subject.chunk or BATCH
        codes, noise = (subject.generator("consistency", name) for name in ("codes", "noise"))
        sampled, central = [], []
        for x in subject.batches():
            posterior = model.encode(x)
            drawn = [
                _divergence(model, z, posterior, noise, chunk)
                for z in posterior.rsample(codes, self.samples)
            ]
            sampled.append(torch.stack(drawn).mean(dim=0))
            central.append(_divergence(model, posterior.mean, posterior, noise, chunk))
            progress(sum(map(len, sampled)) / len(subject.images))
        values = {"consistency": torch.cat(sampled), "consistency_mean": torch.cat(central)}
        quantiles = {
            name: dict(zip(map(str, QUANTILES), _quantiles(figures), strict=True))
            for name, figures in values.items()
        }
        figures = {name: mean_of(found) for name, found in values.items()}
        return Measurement(figures, {"quantiles": quantiles})


def _divergence(
    model: VAE, z: Tensor, posterior: Posterior, noise: torch.Generator, chunk: int
) -> Tensor:
    """KL(q(z|x') || q(z|x)) ``[B]``, with x' made of codes ``[B, D]``."""
    made = torch.cat([model.decode(part).mean for part in torch.split(z, chunk)])
    return kl_divergence(model.encode_made(made), posterior, noise)


def _quantiles(values: Tensor) -> list[float]:
    at = torch.tensor(QUANTILES, dtype=torch.float64, device=values.device)
    found: list[float] = torch.quantile(values.double(), at).tolist()
    return found
