"""Normal densities with one variance for all pixels."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from vaesearch.errors import InputError
from vaesearch.models.likelihoods.core import MIN_LOG_VARIANCE, Likelihood
from vaesearch.models.likelihoods.staged import StagedGaussianLikelihood
from vaesearch.models.pixels import NormalPixels


def gaussian(variance: str | float = "optimal", **schedule: Any) -> Likelihood:
    """The normal density that ``gaussian:variance`` names.

    Args:
        variance: ``optimal``, ``learned`` or a number, of :class:`GaussianLikelihood`, or
            ``pixel``, of :class:`StagedGaussianLikelihood`.
        schedule: of the latter.

    Raises:
        InputError: none of these, or an argument out of range.
    """
    if variance == "pixel":
        return StagedGaussianLikelihood(**schedule)
    if schedule:
        names = ", ".join(schedule)
        raise InputError(f"gaussian:{variance} takes no {names}; gaussian:pixel has a schedule.")
    return GaussianLikelihood(variance)


class GaussianLikelihood(Likelihood):
    """Normal density with one variance for all pixels (Lin et al. 2019).

    Args:
        variance: ``optimal``: in training the mean squared error of the batch, which maximises the
            likelihood in closed form (their eq. 9; Rybkin et al. 2021), and its running average
            in evaluation. ``learned``: a parameter. A number: fixed.

    Raises:
        InputError: none of these, or a number that is not above 0.
    """

    momentum = 0.1
    log_variance: Tensor
    batches: Tensor

    def __init__(self, variance: str | float = "optimal") -> None:
        super().__init__()
        if isinstance(variance, str) and variance not in ("optimal", "learned"):
            raise InputError(
                f"gaussian:{variance}: the variance is 'optimal', 'learned', 'pixel' or a number."
            )
        if not isinstance(variance, str) and not (math.isfinite(variance) and variance > 0):
            raise InputError(f"gaussian:{variance}: the variance must be above 0.")
        self.is_optimal = variance == "optimal"
        start = torch.tensor(0.0 if isinstance(variance, str) else math.log(variance))
        if variance == "learned":
            self.register_parameter("log_variance", nn.Parameter(start))
        else:
            self.register_buffer("log_variance", start)
        self.register_buffer("batches", torch.tensor(0.0))

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> NormalPixels:
        """p(x|z) with the sigmoid of ``parameters`` as mean."""
        mean = torch.sigmoid(parameters.float())
        log_variance = self.log_variance
        if self.is_optimal and self.training and fit_to is not None:
            log_variance = self._fit((fit_to - mean).square().mean())
        return NormalPixels(mean, log_variance.clamp_min(MIN_LOG_VARIANCE))

    def _fit(self, mse: Tensor) -> Tensor:
        """The optimum, which needs no gradient: the objective is flat in it."""
        # The floor keeps the minus infinity of an error of 0 out of the average for good.
        optimum = mse.detach().log().clamp_min(MIN_LOG_VARIANCE)
        self.batches += 1
        weight = (1 / self.batches).clamp_min(self.momentum)
        self.log_variance.lerp_(optimum, weight)
        return optimum
