"""Masses on the 8-bit levels, and the density that is scored as one."""

import math

import torch
from torch import Tensor, nn

from vaesearch.errors import InputError
from vaesearch.models.likelihoods.core import (
    MIN_LOG_VARIANCE,
    Likelihood,
    pixel_log_variance,
)
from vaesearch.models.pixels import (
    BinomialPixels,
    DiscretizedLogisticPixels,
    DiscretizedNormalPixels,
    LaplacePixels,
)

# A logistic of scale s has the standard deviation pi s / sqrt(3), a Laplace one sqrt(2) s.
LOG_LOGISTIC = math.log(math.sqrt(3) / math.pi)
LOG_LAPLACE = -0.5 * math.log(2)


class _ScaledLikelihood(Likelihood):
    """With one learned variance, or one for each pixel.

    It starts at 1, as in Lin et al. 2019: from a sharp one the first steps are so large that deep
    decoders do not recover. Where the decoder makes one for each pixel, the one number is still
    there, and follows the error of all of them fast.

    Attributes:
        name: as typed.

    Args:
        scale: ``learned`` or ``pixel``.

    Raises:
        InputError: none of these.
    """

    name: str

    def __init__(self, scale: str = "learned") -> None:
        super().__init__()
        if scale not in ("learned", "pixel"):
            raise InputError(f"{self.name}: scale={scale} must be 'learned' or 'pixel'.")
        self.predicts_spread = scale == "pixel"
        self.log_variance = nn.Parameter(torch.tensor(0.0))

    def outputs(self, channels: int) -> int:
        """A mean for each channel, and a scale where that is predicted."""
        return 2 * channels if self.predicts_spread else channels

    def _mean_and_log_variance(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """The means around mid-grey; beyond the ends all mass is on black or white."""
        if not self.predicts_spread:
            return 0.5 + parameters.float(), self.log_variance.clamp_min(MIN_LOG_VARIANCE)
        means, maps = parameters.float().chunk(2, dim=1)
        return 0.5 + means, pixel_log_variance(self.log_variance, maps)


class DiscretizedNormalLikelihood(_ScaledLikelihood):
    """Normal integrated over each 8-bit level's cell.

    A probability mass, so its nats are bits/dim times ``D ln 2``. The mean is not confined to
    [0, 1]: beyond the ends it puts all mass on black or white.
    """

    name = "discretized-normal"

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> DiscretizedNormalPixels:
        """p(x|z) with ``parameters`` around mid-grey as mean."""
        return DiscretizedNormalPixels(*self._mean_and_log_variance(parameters))


class DiscretizedLogisticLikelihood(_ScaledLikelihood):
    """Logistic integrated over each 8-bit level's cell (Kingma et al. 2016).

    Its tails are heavier than a normal's, and it costs less.
    """

    name = "discretized-logistic"

    def forward(
        self, parameters: Tensor, fit_to: Tensor | None = None
    ) -> DiscretizedLogisticPixels:
        """p(x|z) with ``parameters`` around mid-grey as mean."""
        mean, log_variance = self._mean_and_log_variance(parameters)
        return DiscretizedLogisticPixels(mean, 0.5 * log_variance + LOG_LOGISTIC)


class LaplaceLikelihood(Likelihood):
    """Laplace density with one learned scale: the mean absolute error counts.

    Scored as a mass on the levels by its distribution function, the two outer cells being open.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.tensor(0.0))

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> LaplacePixels:
        """p(x|z) with the sigmoid of ``parameters`` as mean."""
        log_variance = self.log_variance.clamp_min(MIN_LOG_VARIANCE)
        return LaplacePixels(torch.sigmoid(parameters.float()), 0.5 * log_variance + LOG_LAPLACE)


class BinomialLikelihood(Likelihood):
    """Levels as successes in 255 tosses: fits the mean as cross-entropy does."""

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> BinomialPixels:
        """p(x|z) with ``parameters`` as logits."""
        return BinomialPixels(parameters.float())
