"""Mixtures of one trained model: codes are computed once, each mixture is fitted and scored."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from vaesearch.errors import InputError
from vaesearch.evaluation.aggregate import count_parameters, divergence, fit_codes
from vaesearch.evaluation.estimates import Estimate, mean_of
from vaesearch.evaluation.pictures import codes_of
from vaesearch.mixtures.pictured import PictureScore
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.vae import VAE
from vaesearch.search.mixtures import Basis, Fit
from vaesearch.seeding import torch_generator
from vaesearch.threads import threads

NATS = "nats per image"

Keep = Callable[[Fit], None]


class Fitter:
    """Fits mixtures to codes of a model, or finds them where they were fitted before.

    Codes are samples of q(z|x), one for each image, in float64.

    Args:
        load: gives the model, in evaluation mode; its own prior ``gmm:M`` is not fitted.
        train: images to fit to, uint8 ``[N, C, H, W]``.
        held_out: images to score on.
        basis: what the fits follow from.
        pictures: scores pictures, where that is asked for.
        known: gives a fit that was made before, or None.
        keep: told each new fit.
    """

    def __init__(
        self,
        load: Callable[[], VAE],
        train: np.ndarray,
        held_out: np.ndarray,
        basis: Basis,
        pictures: PictureScore | None,
        known: Callable[[int], Fit | None],
        keep: Keep,
    ) -> None:
        self._load = load
        self._train, self._held_out = train, held_out
        self._basis = basis
        self._pictures = pictures
        self._known, self._keep = known, keep
        self._mixtures: dict[int, FullGaussianMixture] = {}

    @cached_property
    def model(self) -> VAE:
        """The model; opened when something is to be fitted."""
        return self._load()

    @cached_property
    def codes(self) -> tuple[Tensor, Tensor]:
        """Codes ``[N, D]`` of training and of validation images, on the CPU.

        Raises:
            InputError: some are no numbers.
        """
        # The same stream as of :func:`fit_aggregate`: of the same images come the same codes.
        streams = ("aggregate",), ("mixtures", "held out")
        found = []
        device = next(self.model.parameters()).device
        for arrays, path in zip((self._train, self._held_out), streams, strict=True):
            images = torch.tensor(np.asarray(arrays), device=device)
            generator = torch_generator(self._basis.seed, *path, device=device)
            with threads():
                found.append(codes_of(self.model, images, generator).double().cpu())
        if not all(codes.isfinite().all() for codes in found):
            raise InputError("some codes of images are not finite: the model has diverged.")
        return found[0], found[1]

    def make(self, components: int, pictured: bool) -> Fit:
        """The fit of so many components, with the score of pictures if that is asked for."""
        found = self._known(components)
        if found is not None and not found.failed and pictured and self._pictures is not None:
            found = found if found.pictures == self._pictures.settings else None
        if found is None:
            found = self._made(components, pictured)
            self._keep(found)
        return found

    def mixture(self, components: int) -> FullGaussianMixture:
        """The mixture of a fit that succeeded, on the CPU.

        Raises:
            ValueError: there is none.
        """
        if components not in self._mixtures:
            with threads():
                self._mixtures[components] = fit_codes(
                    self.codes[0], components, self._basis.seed
                ).mixture
        return self._mixtures[components]

    def _made(self, components: int, pictured: bool) -> Fit:
        train, _ = self.codes
        fit, started = Fit(components, self._basis), time.perf_counter()
        try:
            with threads():
                fitted = fit_codes(train, components, self._basis.seed)
                _check(fitted.mixture, len(train))
        except (ValueError, RuntimeError) as error:  # of scikit-learn, and of torch's Cholesky
            fit = replace(fit, failed=_line(error))
        else:
            self._mixtures[components] = fitted.mixture
            fit = replace(fit, iterations=fitted.iterations, converged=fitted.converged)
            fit = self._scored(fit, fitted.mixture, pictured)
        return replace(fit, seconds=time.perf_counter() - started, time=time.time())

    def _scored(self, fit: Fit, mixture: FullGaussianMixture, pictured: bool) -> Fit:
        train, held_out = self.codes
        with threads():
            fitted_to, unseen = mixture.log_prob(train), mixture.log_prob(held_out)
            kl = divergence(self._beside_model(mixture), self.model, self._basis.seed)
        size = count_parameters(mixture)
        figures = {
            "loglik": replace(mean_of(unseen), unit=NATS, better="higher"),
            "train_loglik": replace(mean_of(fitted_to), unit=NATS),
            "bic": Estimate(
                size * math.log(len(train)) - 2 * fitted_to.sum().item(), None, len(train),
                better="lower",
            ),
            "aggregate_kl": Estimate(kl["aggregate_kl"], kl["aggregate_kl_error"], unit="nats"),
        }  # fmt: skip
        if not all(math.isfinite(figure.value) for figure in figures.values()):
            return replace(fit, failed="some figures of the mixture are not finite")
        if pictured and self._pictures is not None:
            figures["fid"] = self._pictures.fid(self.model, self._beside_model(mixture))
            return replace(fit, figures=figures, pictures=self._pictures.settings)
        return replace(fit, figures=figures)

    def _beside_model(self, mixture: FullGaussianMixture) -> FullGaussianMixture:
        device = next(self.model.parameters()).device
        return FullGaussianMixture(*(p.to(device) for p in mixture.to_dict().values()))


def _check(mixture: FullGaussianMixture, codes: int) -> None:
    """Refuse a mixture with a component that stands for no code.

    Raises:
        ValueError: says how many there are.
    """
    empty = int((mixture.weights * codes < 1).sum())
    if empty:
        raise ValueError(f"{empty} of {len(mixture.weights)} components have no code")


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text.split(". ")[0] or type(error).__name__)[:200]
