"""Mixtures of discretised logistics, with channels that depend on each other."""

import math

import torch
from torch import Tensor

from vaesearch.models.pixels.cells import logistic_log_cell
from vaesearch.models.pixels.core import (
    deviation_of_levels,
    per_image,
    to_levels,
    uniform_like,
)


class LogisticMixturePixels:
    """Mixture of discretised logistics (Salimans et al. 2017).

    The channels of a pixel share the component. Within it, the mean of a channel is linear in the
    channels before it, so that p(r, g, b) = sum over components of w p(r) p(g|r) p(b|r, g).

    Args:
        logits: of the weights of the K components, ``[B, K, H, W]``.
        means: of each channel, where the channels before it are mid-grey, ``[B, K, C, H, W]``.
        log_scales: likewise.
        couplings: weights of the channels before, ``[B, K, C (C - 1) / 2, H, W]``, in the order
            (1 on 0), (2 on 0), (2 on 1), ...; None with one channel.
    """

    is_mass = True

    def __init__(
        self, logits: Tensor, means: Tensor, log_scales: Tensor, couplings: Tensor | None = None
    ) -> None:
        self.logits = logits
        self.means = means
        self.log_scales = log_scales
        self.couplings = couplings
        self.channels = means.shape[2]

    @property
    def mean(self) -> Tensor:
        """Weighted means of the components, each clamped to what a screen can show."""
        return self._average(self._component_means())

    @property
    def standard_deviation(self) -> Tensor:
        """Of the levels; to first order in the couplings."""
        means = self._component_means()
        centres = self._means_given(means)
        rate = torch.exp(-self.log_scales)
        own = deviation_of_levels(lambda edge: torch.sigmoid((centres - edge) * rate)).square()
        apart = (means - self._average(means).unsqueeze(1)).square()
        return self._average(self._propagated(own) + apart).sqrt()

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-probability of the levels in nats, ``[B]``."""
        levels = x.unsqueeze(1)
        means = self.means if self.channels == 1 else self._means_given(levels)
        cells = logistic_log_cell(levels, means, self.log_scales).sum(dim=2)
        joint = torch.logsumexp(self.logits + cells, dim=1)
        return per_image(joint - torch.logsumexp(self.logits, dim=1))

    log_mass = log_prob

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Levels ``k / 255``, channel by channel."""
        gumbel = -torch.log(-torch.log(uniform_like(self.logits, generator)))
        chosen = (self.logits + gumbel).argmax(dim=1, keepdim=True).unsqueeze(2)
        means, log_scales = _of(chosen, self.means), _of(chosen, self.log_scales)
        noise = torch.exp(log_scales) * torch.logit(uniform_like(means, generator))
        drawn: list[Tensor] = []
        for channel in range(self.channels):
            centre = means[:, channel]
            for before in range(channel):
                assert self.couplings is not None  # noqa: S101
                weight = _of(chosen, self.couplings[:, :, [_pair(channel, before)]])[:, 0]
                centre = centre + weight * (drawn[before] - 0.5)
            drawn.append(to_levels(centre + noise[:, channel]))
        return torch.stack(drawn, dim=1)

    def _weight(self, channel: int, before: int) -> Tensor:
        """Of the coupling of two channels, ``[B, K, H, W]``."""
        assert self.couplings is not None  # noqa: S101
        return self.couplings[:, :, _pair(channel, before)]

    def _means_given(self, x: Tensor) -> Tensor:
        """Means of the components where the channels are ``x``, ``[B, 1 or K, C, H, W]``."""
        centred = x - 0.5
        means = []
        for channel in range(self.channels):
            mean = self.means[:, :, channel]
            for before in range(channel):
                mean = torch.addcmul(mean, self._weight(channel, before), centred[:, :, before])
            means.append(mean)
        return torch.stack(means, dim=2)

    def _component_means(self) -> Tensor:
        """Expected channels of each component, ``[B, K, C, H, W]``, clamped one by one."""
        means: list[Tensor] = []
        for channel in range(self.channels):
            mean = self.means[:, :, channel]
            for before in range(channel):
                mean = mean + self._weight(channel, before) * (means[before] - 0.5)
            means.append(mean.clamp(0, 1))
        return torch.stack(means, dim=2)

    def _propagated(self, own: Tensor) -> Tensor:
        """Variances of the channels from each one's ``own``, with what the couplings pass on."""
        channels = range(self.channels)
        # loads[c][j]: how much of the noise of channel j ends in channel c.
        loads: list[list[Tensor | float]] = []
        for c in channels:
            row: list[Tensor | float] = [1.0 if j == c else 0.0 for j in channels]
            for before in range(c):
                weight = self._weight(c, before)
                row = [r + weight * passed for r, passed in zip(row, loads[before], strict=True)]
            loads.append(row)
        noise = own.unbind(dim=2)
        variances = [
            torch.stack([noise[j] * loads[c][j] ** 2 for j in range(c + 1)]).sum(dim=0)
            for c in channels
        ]
        return torch.stack(variances, dim=2)

    def _average(self, values: Tensor) -> Tensor:
        """Over the components: ``[B, C, H, W]`` of ``[B, K, C, H, W]``."""
        return (torch.softmax(self.logits, dim=1).unsqueeze(2) * values).sum(dim=1)


def pairs(channels: int) -> int:
    """Couplings of so many channels."""
    return math.comb(channels, 2)


def _pair(channel: int, before: int) -> int:
    return pairs(channel) + before


def _of(chosen: Tensor, values: Tensor) -> Tensor:
    """``values`` ``[B, K, P, H, W]`` of the ``chosen`` component ``[B, 1, 1, H, W]``."""
    index = chosen.expand(-1, -1, values.shape[2], -1, -1)
    return values.gather(1, index).squeeze(1)
