"""Latents in a hierarchy: z = (z_L, ..., z_1), each group with a prior given those before it.

p(z) = prod p(z_l | z_>l) and q(z|x) = prod q(z_l | z_>l, x), all Gaussian given what is above.
The posterior shares the prior's networks and adds to each of its Gaussians what the encoder says
of that group (Sønderby et al. 2016, "Ladder Variational Autoencoders").
"""

from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor, nn

from vaesearch.catalogue.latents import LADDER_LEVELS
from vaesearch.errors import InputError
from vaesearch.models.blocks import mlp
from vaesearch.models.latents import LOG_2PI, DiagonalGaussian
from vaesearch.models.priors import Encode

LEVELS = LADDER_LEVELS
MOST_LEVELS = 4
LOG_PRECISION_RANGE = (-10.0, 14.0)
LOG_VARIANCE_RANGE = (-8.0, 8.0)


def group_sizes(latent_dim: int, levels: object) -> tuple[int, ...]:
    """Sizes of the groups of z, the top one z_L first; the top ones take what is left over.

    >>> group_sizes(32, 3)
    (11, 11, 10)

    Raises:
        InputError: not 2 to 4 levels, or more of them than latents.
    """
    if type(levels) is not int or not 2 <= levels <= MOST_LEVELS:
        raise InputError(
            f"a ladder has 2 to {MOST_LEVELS} levels, as in ladder:3, not {levels!r}."
        )
    if levels > latent_dim:
        raise InputError(
            f"a ladder of {levels} levels needs a latent for each, not --latent-dim {latent_dim}."
        )
    share, rest = divmod(latent_dim, levels)
    return tuple(share + (level < rest) for level in range(levels))


class LadderPrior(nn.Module):
    """Gaussians, each with mean and log-variance from the groups above by a small network.

    They start as N(0, I).

    Args:
        levels: groups of z, 2 to 4.
        latent_dim: size of z.
        shape: ``(C, H, W)`` of the images; not used here.
        hidden: units of each network.

    Raises:
        InputError: not so many levels, or too few latents.
    """

    def __init__(
        self,
        levels: int = LEVELS,
        *,
        latent_dim: int,
        shape: tuple[int, int, int],
        hidden: int = 64,
    ) -> None:
        super().__init__()
        self.sizes = group_sizes(latent_dim, levels)
        above = accumulate(self.sizes)
        self.networks = nn.ModuleList(
            _network(inputs, hidden, 2 * size)
            for inputs, size in zip(above, self.sizes[1:], strict=False)
        )
        # A buffer only to know the device by.
        self.register_buffer("_device", torch.empty(0), persistent=False)

    def conditional(self, level: int, above: Tensor) -> DiagonalGaussian:
        """p(z_l | z_>l) of the group at ``level`` (0 for the top) given ``[..., D_>l]``."""
        if level == 0:
            zeros = above.new_zeros((*above.shape[:-1], self.sizes[0]))
            return DiagonalGaussian(zeros, zeros)
        mean, log_variance = self.networks[level - 1](above).chunk(2, dim=-1)
        return DiagonalGaussian(mean, log_variance.clamp(*LOG_VARIANCE_RANGE))

    def forward(self, encode: Encode) -> "Ladder":
        """p(z)."""
        device: Tensor = self._device  # type: ignore[assignment]
        return Ladder(self, device.device)


class Ladder:
    """p(z) = prod p(z_l | z_>l)."""

    def __init__(self, prior: LadderPrior, device: torch.device) -> None:
        self.prior = prior
        self.device = device

    def log_prob(self, z: Tensor) -> Tensor:
        """Log p(z) in nats ``[...]`` of latents ``[..., D]``."""
        total = z.new_zeros(())
        start = 0
        for level, size in enumerate(self.prior.sizes):
            given = self.prior.conditional(level, z[..., :start])
            total = total + given.log_prob(z[..., start : start + size])
            start += size
        return total

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` latents ``[count, D]``."""
        z = torch.empty(count, 0, device=self.device)
        for level in range(len(self.prior.sizes)):
            drawn = self.prior.conditional(level, z).rsample(generator)
            z = torch.cat([z, drawn], dim=-1)
        return z


class LadderPosterior(nn.Module):
    """q(z_l | z_>l, x): the prior's Gaussian times one that the encoder gives for that group.

    Args:
        levels: groups of z, as many as the prior's.
        features: size of the encoder's output.
        latent_dim: size of z.

    Raises:
        InputError: not so many levels, or too few latents.
    """

    shares_prior = True

    def __init__(self, levels: int = LEVELS, *, features: int, latent_dim: int) -> None:
        super().__init__()
        group_sizes(latent_dim, levels)
        self.mean = nn.Linear(features, latent_dim)
        self.log_precision = nn.Linear(features, latent_dim)

    def forward(self, features: Tensor, prior: LadderPrior) -> "LadderGaussian":
        """q(z|x) for features ``[B, F]``."""
        log_precision = self.log_precision(features).float().clamp(*LOG_PRECISION_RANGE)
        return LadderGaussian(prior, self.mean(features).float(), log_precision)


class LadderGaussian:
    """q(z|x), Gaussian in each group given those above it.

    Args:
        prior: whose networks say what is expected of a group.
        mean: of the encoder's Gaussians, ``[B, D]``.
        log_precision: likewise; at minus infinity q is the prior.
    """

    def __init__(self, prior: LadderPrior, mean: Tensor, log_precision: Tensor) -> None:
        self.prior = prior
        self.message = mean
        self.log_precision = log_precision

    @cached_property
    def mean(self) -> Tensor:
        """Each group's mean given the means above it, ``[B, D]``."""
        return self._descend(torch.zeros_like(self.message))[0]

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """A reparameterised sample ``[B, D]``, or ``count`` of them ``[count, B, D]``."""
        return self.rsample_and_log_prob(generator, count)[0]

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample and its log-density, ``[B]`` or ``[count, B]``."""
        leading = () if count is None else (count,)
        noise = self.message.new_empty((*leading, *self.message.shape))
        noise.normal_(generator=generator)
        z, log_variance = self._descend(noise)
        return z, -0.5 * (noise.square() + log_variance + LOG_2PI).sum(dim=-1)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log q(z|x) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        total = z.new_zeros(())
        start = 0
        for level, size in enumerate(self.prior.sizes):
            given = self._conditional(level, z[..., :start])
            total = total + given.log_prob(z[..., start : start + size])
            start += size
        return total

    def _descend(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Latents made of ``noise``, and log-variances given those above, of the same shape."""
        z = noise[..., :0]
        log_variances = []
        for level, size in enumerate(self.prior.sizes):
            given = self._conditional(level, z)
            start = z.shape[-1]
            part = noise[..., start : start + size]
            drawn = given.mean + torch.exp(0.5 * given.log_variance) * part
            z = torch.cat([z, drawn], dim=-1)
            log_variances.append(given.log_variance)
        return z, torch.cat(log_variances, dim=-1)

    def _conditional(self, level: int, above: Tensor) -> DiagonalGaussian:
        """The product of two Gaussians: precisions add, and weigh the means."""
        expected = self.prior.conditional(level, above)
        start = above.shape[-1]
        part = slice(start, start + self.prior.sizes[level])
        # Of the precisions' ratio; the encoder's share of their sum is its logistic function.
        log_ratio = self.log_precision[:, part] + expected.log_variance
        share = torch.sigmoid(log_ratio)
        mean = expected.mean + share * (self.message[:, part] - expected.mean)
        log_variance = expected.log_variance - nn.functional.softplus(log_ratio)
        return DiagonalGaussian(mean, log_variance)


def _network(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    last = nn.Linear(hidden, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(mlp(inputs, [hidden]), last)
