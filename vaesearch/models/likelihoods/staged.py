"""A normal density whose variance is one number at first, and each pixel's own thereafter."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaesearch.errors import InputError
from vaesearch.models.likelihoods.core import MIN_LOG_VARIANCE, Likelihood
from vaesearch.models.pixels import NormalPixels, PixelwiseNormalPixels


class StagedGaussianLikelihood(Likelihood):
    """Normal density with a variance for each pixel, trained in two stages (Lin et al. 2019).

    Their algorithm 1: at first one variance for the whole data set is learned, since that of a
    pixel means nothing while the mean is far off. It is then frozen, and the variance of pixel k
    is v_k(z) + sigma^2 / 2 with v_k >= 0. Without that floor a pixel that never changes in
    training gets a variance near 0, and the first test image that has it otherwise costs millions
    of nats.

    Here v_k is sigma^2 / 2 times softplus(gate x map) / log 2, and the learned gate starts at 0:
    the second stage begins with the variance that the first one ended with. Their loops, as
    printed, do not end; here the first stage ends after ``first`` epochs, or earlier, once the
    training loss has not fallen by ``epsilon`` for ``patience`` epochs. An annealed loss rises,
    which counts as not falling.

    Args:
        first: epochs of the first stage, at most.
        patience: epochs without progress after which it ends.
        epsilon: progress, in nats per image.

    Raises:
        InputError: a number that is not whole or below 1, or a negative ``epsilon``.
    """

    predicts_spread = True
    floor = 0.5  # of the data set's variance
    epochs: Tensor
    stalled: Tensor
    lowest: Tensor
    stage: Tensor

    def __init__(self, first: int = 10, patience: int = 2, epsilon: float = 0.1) -> None:
        super().__init__()
        _check_count("first", first)
        _check_count("patience", patience)
        if isinstance(epsilon, str) or not (math.isfinite(epsilon) and epsilon >= 0):
            raise InputError(f"gaussian:pixel: epsilon={epsilon} must be 0 nats or above.")
        self.first, self.patience, self.epsilon = first, patience, epsilon
        self.log_variance = nn.Parameter(torch.tensor(0.0))
        self.gate = nn.Parameter(torch.tensor(0.0))
        # Buffers, so that a checkpoint holds where the schedule is.
        self.register_buffer("epochs", torch.tensor(0))
        self.register_buffer("stalled", torch.tensor(0))
        self.register_buffer("lowest", torch.tensor(math.inf, dtype=torch.float64))
        self.register_buffer("stage", torch.tensor(1))
        # What forward asks, so that it need not wait for the device.
        self._is_per_pixel = False
        self.register_load_state_dict_post_hook(_read_stage)  # type: ignore[no-untyped-call]

    def outputs(self, channels: int) -> int:
        """A mean and a variance for each channel."""
        return 2 * channels

    def forward(self, parameters: Tensor, fit_to: Tensor | None = None) -> NormalPixels:
        """p(x|z) with the sigmoid of the first half of ``parameters`` as mean."""
        means, maps = parameters.float().chunk(2, dim=1)
        mean = torch.sigmoid(means)
        log_variance = self.log_variance.clamp_min(MIN_LOG_VARIANCE)
        if not self._is_per_pixel:
            return NormalPixels(mean, log_variance)
        of_data = log_variance.detach().exp()
        free = F.softplus(self.gate * maps) * ((1 - self.floor) / math.log(2))
        return PixelwiseNormalPixels(mean, of_data * (free + self.floor))

    def end_epoch(self, loss: float) -> None:
        """Count the epoch, and go over to the second stage when the first is at its end."""
        if self._is_per_pixel:
            return
        has_progressed = loss < float(self.lowest) - self.epsilon
        self.epochs += 1
        self.stalled.add_(1).mul_(not has_progressed)
        self.lowest.clamp_(max=loss)
        if int(self.epochs) >= self.first or int(self.stalled) >= self.patience:
            self.stage.fill_(2)
            self._is_per_pixel = True


def _read_stage(likelihood: Any, _: object) -> None:
    """After weights were loaded."""
    likelihood._is_per_pixel = int(likelihood.stage) == 2


def _check_count(name: str, value: object) -> None:
    if isinstance(value, int) and value >= 1:
        return
    reason = " Variances per pixel cannot be learned from scratch." if name == "first" else ""
    raise InputError(
        f"gaussian:pixel: {name}={value} must be a whole number of epochs, 1 or more.{reason}"
    )
