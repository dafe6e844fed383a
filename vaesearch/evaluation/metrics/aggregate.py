"""How far the aggregate posterior is from the prior, and what a mixture fitted to it gains."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.compatibility import CODES_PER_LATENT, most_components
from vaesearch.errors import InputError
from vaesearch.evaluation.aggregate import DRAWS, codes_to_fit, count_parameters
from vaesearch.evaluation.estimates import Estimate, Measurement, mean_of
from vaesearch.evaluation.subject import Progress, Subject
from vaesearch.models.latents import Prior
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.priors import FittedMixturePrior, StandardNormal
from vaesearch.models.vae import VAE
from vaesearch.objectives import elbo_terms

NOTABLE = 0.1  # share of the KL that the noise of the fit may make up without a word


@dataclass(frozen=True)
class Aggregate:
    """The mixture q̂ of Gaussians fitted to codes of training images (Lin et al. 2019, eq. 12).

    - ``aggregate_kl``: KL(q̂ || p) by ``runs`` times ``draws`` samples of q̂.
    - ``codes_mixture``, ``codes_prior``: the mean log-density of codes of the images under q̂ and
      under p, and ``codes_gain``, their difference.
    - ``elbo_gmm``: the bound with q̂ for the prior, at the same codes.
    - ``overfit``: how much higher the mean log-density under q̂ is of the codes that it was fitted
      to than of those of the images.
    - ``bic``: of the fit; lower is better.

    p is the prior of training, which is N(0, I) for ``--prior gmm``.

    Args:
        components: of the mixture; by default as many as ``--prior gmm:M`` has, else 10.
        draws: of q̂ in each run.
        runs: of so many draws, for their spread, as the paper gives it.

    Raises:
        InputError: one is no whole number, or below 1.
    """

    units: ClassVar[Mapping[str, tuple[str, str]]] = {
        "aggregate_kl": ("nats", "lower"),
        "codes_*": ("nats per image", ""),
        "elbo_gmm": ("nats per image", "higher"),
        "overfit": ("nats per image", "lower"),
        "bic": ("", "lower"),
    }
    components: int | None = None
    draws: int = DRAWS
    runs: int = 10

    def __post_init__(self) -> None:
        if self.components is not None:
            whole("the components of aggregate", self.components)
        whole("the draws of aggregate", self.draws, 2)
        whole("the runs of aggregate", self.runs)

    def check(self, subject: Subject) -> None:
        """Refuse more components than the training images can tell apart."""
        check_components(f"aggregate:{self.components}", self.components, subject)

    @torch.no_grad()
    def measure(self, subject: Subject, progress: Progress) -> Measurement:
        """Errors are over draws of q̂ for its KL, and else over images."""
        model = subject.model
        mixture, prior = subject.mixture(self.components), prior_of_training(model)
        progress(0.3)
        kl, runs = self._divergence(mixture, prior, subject)
        progress(0.5)
        held_out = _held_out(subject, mixture, prior)
        progress(0.9)
        codes = codes_to_fit(model, subject.train, subject.seed, self.components)
        fitted = mixture.log_prob(codes.double())
        figures = {"aggregate_kl": kl}
        figures |= {name: mean_of(values) for name, values in held_out.items()}
        figures["overfit"] = _difference(mean_of(fitted), figures["codes_mixture"])
        size = count_parameters(mixture)
        bic = size * math.log(len(codes)) - 2 * fitted.sum().item()
        figures["bic"] = Estimate(bic, None, len(codes))
        details: dict[str, Any] = {
            "components": len(mixture.means),
            "parameters": size,
            "codes_fitted_to": len(codes),
            "runs": runs,
        }
        return Measurement(figures, details, tuple(_notes(subject, kl, size / (2 * len(codes)))))

    def _divergence(
        self, mixture: FullGaussianMixture, prior: Prior, subject: Subject
    ) -> tuple[Estimate, list[float]]:
        """KL(q̂ || p), and what each run finds."""
        ratios = []
        for run in range(self.runs):
            z = mixture.sample(self.draws, subject.generator("aggregate", "draws", run)).double()
            ratios.append(mixture.log_prob(z) - prior.log_prob(z.float()).double())
        return mean_of(torch.cat(ratios)), [r.mean().item() for r in ratios]


def check_components(spec: str, components: int | None, subject: Subject) -> None:
    """Refuse more Gaussians, if a number is given, than the training images can tell apart.

    Raises:
        InputError: says how many there can be.
    """
    images, dims = len(subject.data.train), subject.model.settings.latent_dim
    most = most_components(images, dims)
    if components is not None and components > most:
        raise InputError(
            f"{spec} needs {CODES_PER_LATENT} training images per component and latent ({dims}): "
            f"with {images} take {most} components at most."
        )


def prior_of_training(model: VAE) -> Prior:
    """p(z) as the bound of training has it: N(0, I) where a mixture is fitted afterwards."""
    if isinstance(model.prior, FittedMixturePrior):
        return StandardNormal(model.settings.latent_dim, next(model.parameters()).device)
    return model.latent_prior()


def _held_out(subject: Subject, mixture: FullGaussianMixture, prior: Prior) -> dict[str, Tensor]:
    """Figures of each image at one code each, ``[N]``."""
    generator = subject.generator("aggregate", "codes")
    parts: dict[str, list[Tensor]] = {}
    for x in subject.batches():
        terms = elbo_terms(subject.model, x, generator)
        under, before = mixture.log_prob(terms.z.double()), prior.log_prob(terms.z).double()
        found = {
            "codes_mixture": under,
            "codes_prior": before,
            "codes_gain": under - before,
            "elbo_gmm": terms.elbo.double() + under - terms.prior.log_prob(terms.z).double(),
        }
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    return {name: torch.cat(values) for name, values in parts.items()}


def _difference(first: Estimate, second: Estimate) -> Estimate:
    """Of the means of independent values."""
    errors = [e.error for e in (first, second) if e.error is not None]
    return Estimate(first.value - second.value, math.hypot(*errors) if errors else None)


def _notes(subject: Subject, kl: Estimate, bias: float) -> list[str]:
    notes = []
    if bias > NOTABLE * abs(kl.value):
        notes.append(
            "The mixture follows the noise of its codes, which makes aggregate_kl too high by "
            f"about {bias:.2g} nats: take fewer components or more training images."
        )
    if subject.split == "train":
        notes.append("Measured on training images: overfit and codes_gain are not held out.")
    if isinstance(subject.model.prior, FittedMixturePrior):
        notes.append("p is N(0, I), the prior of training, not the mixture fitted afterwards.")
    return notes
