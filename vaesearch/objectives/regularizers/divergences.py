"""Divergences of each image's q(z|x) from the prior p(z)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.arguments import number
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.objectives.terms import Terms


class KL:
    """KL(q(z|x) || p(z)), as in the bound itself."""

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``."""
        return terms.kl


class FreeBits:
    """The KL with so many nats of each latent free of charge (Kingma et al. 2016, eq. 15).

    A latent's KL is averaged over the batch first: sum_j max(free, mean_b KL_bj). Below the
    threshold a latent gets no gradient that would switch it off. For diagonal Gaussians and
    N(0, I).

    Args:
        nats: per latent dimension.

    Raises:
        InputError: ``nats`` is no number, or below 0.
    """

    def __init__(self, nats: float = 0.5) -> None:
        self.nats = number("the nats of free-bits", nats)

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost of the batch in nats, to each of its images, ``[B]``."""
        by_dimension = diagonal(terms).kl_by_dimension().mean(dim=0)
        return by_dimension.clamp_min(self.nats).sum().expand(len(terms.z))


class GeometricJensenShannon:
    """(1 - a) KL(q || g) + a KL(p || g) with g proportional to q^a p^(1-a) (Deasy et al. 2020).

    It runs from KL(q || p) at a = 0 to KL(p || q) at a = 1, q standing for q(z|x) and p for p(z).
    The geometric mean g of two Gaussians is one too, so all is in closed form. For diagonal
    Gaussians and N(0, I).

    Args:
        skew: a.

    Raises:
        InputError: ``skew`` is no number, or not in [0, 1].
    """

    def __init__(self, skew: float = 0.5) -> None:
        self.skew = number("the skew of js", skew, high=1)

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``."""
        q = diagonal(terms)
        zeros = torch.zeros_like(q.mean)
        return geometric_jensen_shannon(q, DiagonalGaussian(zeros, zeros), self.skew)


def geometric_jensen_shannon(q: DiagonalGaussian, p: DiagonalGaussian, skew: float) -> Tensor:
    """(1 - a) KL(q || g) + a KL(p || g) in nats, ``[B]``, with g proportional to q^a p^(1-a)."""
    share_q = skew * torch.exp(-q.log_variance)
    share_p = (1 - skew) * torch.exp(-p.log_variance)
    precision = share_q + share_p
    mean = (share_q * q.mean + share_p * p.mean) / precision
    middle = DiagonalGaussian(mean, -precision.log())
    return (1 - skew) * q.kl_to(middle) + skew * p.kl_to(middle)


class JensenShannon:
    """Jensen-Shannon divergence of q(z|x) and p(z), by one sample of either.

    Its expectation is in [0, ln 2] nats and the same with q and p swapped; one estimate may be
    below 0. Being bounded it needs a --beta far above 1 to be felt. For any posterior whose
    density can be had anywhere.
    """

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Estimated cost in nats, ``[B]``."""
        q, p, z = terms.posterior, terms.prior, terms.z
        other = p.sample(len(z), generator)
        log_q = q.log_prob(z) if terms.log_q is None else terms.log_q
        return jensen_shannon(log_q - p.log_prob(z), q.log_prob(other) - p.log_prob(other))


def jensen_shannon(at_q: Tensor, at_p: Tensor) -> Tensor:
    """The divergence from log q - log p at samples of q and at samples of p, in nats, ``[B]``.

    With m = (q + p) / 2 each side is log(q / m) = ln 2 - softplus(log p - log q) on average.
    """
    return math.log(2) - 0.5 * (F.softplus(-at_q) + F.softplus(at_p))


def diagonal(terms: Terms) -> DiagonalGaussian:
    """The posterior, which must be a diagonal Gaussian."""
    if not isinstance(terms.posterior, DiagonalGaussian):
        raise TypeError(f"{type(terms.posterior).__name__} is no DiagonalGaussian")
    return terms.posterior
