"""Gaussians with free parameters for each image."""

from functools import partial

import torch
from torch import Tensor, nn

from vaesearch.evaluation.local.core import LocalPosterior, gaussian, paired_noise
from vaesearch.models.ladder import LadderGaussian
from vaesearch.models.latents import (
    DiagonalGaussian,
    FullGaussian,
    GaussianPosterior,
    Posterior,
)
from vaesearch.models.posteriors.full_covariance import cholesky_factor

MATCHED = 500  # samples of a flow, to start a Gaussian from


class Base(nn.Module):
    """Mean and log-variance of diagonal Gaussians, in units of where they start.

    In these units all latents are of a size, whatever their spread, and one rate suits them.

    Args:
        start: of B images.
    """

    centre: Tensor
    log_spread: Tensor

    def __init__(self, start: DiagonalGaussian) -> None:
        super().__init__()
        self.register_buffer("centre", start.mean.detach())
        self.register_buffer("log_spread", start.log_variance.detach())
        self.shift = nn.Parameter(torch.zeros_like(start.mean))
        self.log_ratio = nn.Parameter(torch.zeros_like(start.mean))

    def forward(self, *, paired: bool) -> DiagonalGaussian:
        """The Gaussians."""
        mean = self.centre + torch.exp(0.5 * self.log_spread) * self.shift
        return gaussian(mean, self.log_spread + self.log_ratio, paired=paired)


class LocalGaussian(LocalPosterior):
    """A diagonal Gaussian for each image: the FFG of Cremer et al. 2018."""

    def __init__(self, start: DiagonalGaussian) -> None:
        super().__init__()
        self.base = Base(start)

    def forward(self, *, paired: bool = False) -> DiagonalGaussian:
        """q(z|x)."""
        made: DiagonalGaussian = self.base(paired=paired)
        return made


class PairedFullGaussian(FullGaussian):
    """A Gaussian whose samples come in pairs, z and its mirror image at the mean."""

    def _sample(
        self, generator: torch.Generator | None, count: int | None
    ) -> tuple[Tensor, Tensor]:
        noise = paired_noise(self.mean, generator, count)
        return self.mean + torch.einsum("bij,...bj->...bi", self.scale_tril, noise), noise


class LocalFullGaussian(LocalPosterior):
    """A Gaussian with correlations for each image, whitened by where it starts.

    The factor of the covariance is that of the start times another one, which starts as the
    identity.
    """

    centre: Tensor
    factor: Tensor

    def __init__(self, start: FullGaussian) -> None:
        super().__init__()
        dims = start.mean.shape[1]
        self.register_buffer("centre", start.mean.detach())
        self.register_buffer("factor", start.scale_tril.detach())
        self.shift = nn.Parameter(torch.zeros_like(start.mean))
        self.log_ratio = nn.Parameter(torch.zeros_like(start.mean))
        self.mixing = nn.Parameter(start.mean.new_zeros(len(start.mean), dims * (dims - 1) // 2))

    def forward(self, *, paired: bool = False) -> FullGaussian:
        """q(z|x)."""
        mean = self.centre + torch.einsum("bij,bj->bi", self.factor, self.shift)
        factor = self.factor @ cholesky_factor(self.log_ratio, self.mixing)
        return (PairedFullGaussian if paired else FullGaussian)(mean, factor)


class LocalLadder(LocalPosterior):
    """What the encoder tells a ladder of each group of latents; the prior's networks stay."""

    def __init__(self, start: LadderGaussian) -> None:
        super().__init__()
        # No module of its own: the prior's weights are not the images'.
        self._given = partial(LadderGaussian, start.prior)
        self.message = nn.Parameter(start.message.detach().clone())
        self.log_precision = nn.Parameter(start.log_precision.detach().clone())

    def forward(self, *, paired: bool = False) -> LadderGaussian:
        """q(z|x), whose samples are independent."""
        return self._given(self.message, self.log_precision)


def diagonal_of(q: Posterior, generator: torch.Generator) -> DiagonalGaussian:
    """The diagonal Gaussian with means and variances of q(z|x): of its samples if it is none."""
    if isinstance(q, DiagonalGaussian):
        return q
    if isinstance(q, GaussianPosterior):
        return DiagonalGaussian(q.mean, q.covariance().diagonal(dim1=-2, dim2=-1).log())
    variance, mean = torch.var_mean(q.rsample(generator, MATCHED), dim=0)
    return DiagonalGaussian(mean, variance.log())


def full_of(q: DiagonalGaussian) -> FullGaussian:
    """The same Gaussian, with the factor of its covariance."""
    return FullGaussian(q.mean, torch.diag_embed(torch.exp(0.5 * q.log_variance)))
