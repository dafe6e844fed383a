"""Mixture of discretised logistics."""

import torch
from torch import Tensor, nn

from vaesearch.errors import InputError
from vaesearch.models.likelihoods.core import Likelihood, pixel_log_variance
from vaesearch.models.likelihoods.levels import LOG_LOGISTIC
from vaesearch.models.pixels import LogisticMixturePixels
from vaesearch.models.pixels.mixture import pairs


class LogisticMixtureLikelihood(Likelihood):
    """Mixture of discretised logistics; channels are coupled linearly (Salimans et al. 2017).

    Args:
        components: logistics per pixel.

    Raises:
        InputError: ``components`` is not a whole number above 0.
    """

    predicts_spread = True
    starts: Tensor

    def __init__(self, components: int = 10) -> None:
        super().__init__()
        if not (isinstance(components, int) and components >= 1):
            raise InputError(
                f"discretized-logistic-mixture:{components}: give a whole number of components, "
                "1 or more."
            )
        self.components = components
        self.log_variance = nn.Parameter(torch.tensor(0.0))
        # Evenly over the greys, so that no two components are alike at the start.
        starts = (torch.arange(components) + 0.5) / components
        self.register_buffer("starts", starts.view(-1, 1, 1, 1), persistent=False)

    def outputs(self, channels: int) -> int:
        """A weight, and for each channel a mean, a scale and what couples it to those before."""
        return self.components * (1 + 2 * channels + pairs(channels))

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> LogisticMixturePixels:
        """p(x|z); means are around the components' starts, couplings within -1 and 1."""
        batch, maps, height, width = parameters.shape
        each = maps // self.components - 1
        channels = next(c for c in range(1, each + 1) if 2 * c + pairs(c) == each)
        sizes = [self.components * n for n in (1, channels, channels, pairs(channels))]
        logits, means, scales, couplings = torch.split(parameters.float(), sizes, dim=1)
        shape = (batch, self.components, -1, height, width)
        log_variance = pixel_log_variance(self.log_variance, scales.reshape(shape))
        return LogisticMixturePixels(
            logits,
            self.starts + means.reshape(shape),
            0.5 * log_variance + LOG_LOGISTIC,
            torch.tanh(couplings.reshape(shape)) if channels > 1 else None,
        )
