"""How much each latent is used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import number, whole
from vaesearch.errors import InputError
from vaesearch.evaluation.estimates import Estimate, Measurement, mean_of
from vaesearch.evaluation.subject import Progress, Subject
from vaesearch.models.latents import DiagonalGaussian, GaussianPosterior, Posterior
from vaesearch.models.priors import FittedMixturePrior, StandardNormalPrior

THRESHOLD = 0.01  # of Burda et al. 2016, appendix C


@dataclass(frozen=True)
class Latents:
    """KL(q(z_i|x) || N(0, 1)) of each latent in closed form, and how many latents are active.

    ``kl_latents`` is their sum. With a diagonal posterior that is the KL of the bound; with
    correlated latents the bound's is higher by their total correlation given the image.

    Args:
        threshold: as of :class:`ActiveUnits`.

    Raises:
        InputError: ``threshold`` is no number above 0.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "kl_latents": ("nats per image", ""),
        "active_units": ("latents", ""),
    }
    threshold: float = THRESHOLD

    def __post_init__(self) -> None:
        _check_threshold(self.threshold)

    def check(self, subject: Subject) -> None:
        """Refuse posteriors without closed marginals, and priors that do not factorise."""
        check_standard("latents", subject)
        check_gaussian("latents", subject, "active-units, or elbo for the whole KL")

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images."""
        means, kl = [], []
        for x in subject.batches():
            posterior = subject.model.encode(x)
            log_variance = log_variances(posterior)
            kl.append(0.5 * (log_variance.exp() + posterior.mean.square() - 1 - log_variance))
            means.append(posterior.mean)
            progress(sum(map(len, kl)) / len(subject.images))
        by_latent = torch.cat(kl).double()
        active = _active(torch.cat(means).double(), None, self.threshold)
        each = [mean_of(values) for values in by_latent.unbind(dim=1)]
        details = {"kl": [e.value for e in each], "kl_error": [e.error for e in each]}
        notes = active.notes
        if isinstance(subject.model.prior, FittedMixturePrior):
            notes += ("The KL is to N(0, I), the prior of training, not to the fitted mixture.",)
        figures = {"kl_latents": mean_of(by_latent.sum(dim=1)), **active.figures}
        return Measurement(figures, details | active.details, notes)


@dataclass(frozen=True)
class ActiveUnits:
    """Latents i with Cov_x(E_q[z_i]) above a threshold (Burda et al. 2016), for any posterior.

    E_q[z_i] is exact for Gaussians. Else it is the mean of samples, whose own variance is taken
    off again: without bias, though a latent that is not used may come out slightly below 0.

    Args:
        threshold: on the variance over images of a latent's mean.
        samples: of z for each image, where they are needed.

    Raises:
        InputError: ``threshold`` is no number above 0, or ``samples`` no whole number above 1.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {"active_units": ("latents", "")}
    threshold: float = THRESHOLD
    samples: int = 50

    def __post_init__(self) -> None:
        _check_threshold(self.threshold)
        whole("the samples of active-units", self.samples, 2)

    def check(self, subject: Subject) -> None:
        """A variance over images needs some."""
        check_images("active-units", subject)

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over images."""
        generator = subject.generator("active-units")
        means: list[Tensor] = []
        noise: list[Tensor] = []
        for x in subject.batches():
            posterior = subject.model.encode(x)
            if isinstance(posterior, GaussianPosterior):
                means.append(posterior.mean)
            else:
                z = posterior.rsample(generator, self.samples).double()
                means.append(z.mean(dim=0))
                noise.append(z.var(dim=0) / self.samples)
            progress(sum(map(len, means)) / len(subject.images))
        return _active(
            torch.cat(means).double(), torch.cat(noise) if noise else None, self.threshold
        )


def _active(means: Tensor, noise: Tensor | None, threshold: float) -> Measurement:
    """Active latents among means ``[N, D]``, each with the variance ``noise`` of its own.

    The count's error supposes that the variances are normal around what was found.
    """
    count = len(means)
    squares = (means - means.mean(dim=0)).square() * (count / (count - 1))
    if noise is not None:
        squares = squares - noise
    variances, errors = squares.mean(dim=0), squares.std(dim=0) / count**0.5
    above = torch.special.ndtr((variances - threshold) / errors.clamp_min(1e-30))
    error = (above * (1 - above)).sum().sqrt().item()
    details = {"variance_of_mean": variances.tolist(), "variance_error": errors.tolist()}
    unsure = int(((variances - threshold).abs() < 2 * errors).sum())
    words = f"Within two errors of the threshold: {unsure} of {len(variances)} latents."
    notes = (words,) if unsure else ()
    active = Estimate(int((variances > threshold).sum()), error, count)
    return Measurement({"active_units": active}, details, notes)


def log_variances(posterior: Posterior) -> Tensor:
    """Of each latent by itself, ``[B, D]``; the posterior must be a Gaussian."""
    if isinstance(posterior, DiagonalGaussian):
        return posterior.log_variance
    if not isinstance(posterior, GaussianPosterior):
        raise TypeError(f"{type(posterior).__name__} has no covariance in closed form")
    return posterior.covariance().diagonal(dim1=-2, dim2=-1).log()


def check_images(metric: str, subject: Subject) -> None:
    """Refuse a single image."""
    if len(subject.images) < 2:
        raise InputError(f"{metric} compares images: give it 2 or more.")


def check_standard(metric: str, subject: Subject) -> None:
    """Refuse priors that have no factor for each latent, and a single image."""
    check_images(metric, subject)
    if not isinstance(subject.model.prior, StandardNormalPrior):
        raise InputError(
            f"{metric} takes the KL to N(0, 1) of each latent, and --prior "
            f"{subject.model.settings.prior} has no factor for each: measure active-units, or "
            "elbo for the whole KL."
        )


@torch.no_grad()
def check_gaussian(metric: str, subject: Subject, alternative: str) -> None:
    """Refuse posteriors whose latents have no marginal densities in closed form."""
    posterior = subject.model.encode(next(subject.batches())[:1])
    if not isinstance(posterior, GaussianPosterior):
        raise InputError(
            f"{metric} needs the density of each latent by itself, and --posterior "
            f"{subject.model.settings.posterior} has it for all together only: measure "
            f"{alternative}."
        )


def _check_threshold(threshold: float) -> None:
    if number("the threshold of active units", threshold, 0, math.inf) == 0:
        raise InputError("the threshold of active units must be above 0, not 0.")
