"""Maximum mean discrepancy between the encodings of a batch and samples of the prior."""

import torch
from torch import Tensor

from vaesearch.arguments import number
from vaesearch.objectives.terms import Terms


class MMD:
    """Weight * MMD^2(q(z), p(z)) in place of the KL: WAE-MMD (Tolstikhin et al. 2018).

    Each image's q(z|x) may keep to itself; only q(z), all of them together, is held to the prior.
    The discrepancy is below 2, the log-likelihood hundreds of nats: choose the weight for that.

    Args:
        weight: nats per unit of MMD^2.

    Raises:
        InputError: ``weight`` is no number, or below 0.
    """

    def __init__(self, weight: float = 10) -> None:
        self.weight = number("the weight of mmd", weight)

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost of the batch in nats, to each of its images, ``[B]``."""
        return self.weight * _to_prior(terms, generator)


class InfoVAE:
    """(1 - alpha) KL + (alpha + lambda - 1) MMD^2 (Zhao et al. 2019).

    Args:
        scale: lambda: how strongly all encodings together are held to the prior.
        information: alpha: 0 for the ELBO and more MMD, 1 for no KL at all.

    Raises:
        InputError: not a number, alpha outside [0, 1], or lambda below 1 - alpha, which would
            reward encodings for being unlike the prior.
    """

    def __init__(self, scale: float = 10, information: float = 0.5) -> None:
        self.information = number("the alpha of infovae", information, high=1)
        self.scale = number("the lambda of infovae", scale, low=1 - self.information)

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``; the discrepancy's share is the batch's."""
        discrepancy = _to_prior(terms, generator)
        weight = self.information + self.scale - 1
        return (1 - self.information) * terms.kl + weight * discrepancy


def _to_prior(terms: Terms, generator: torch.Generator | None) -> Tensor:
    """MMD^2 of the batch's samples from as many of the prior, ``[B]``, the same in all."""
    drawn = terms.prior.sample(len(terms.z), generator)
    return squared_mmd(terms.z, drawn).expand(len(terms.z))


def squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Unbiased estimate of MMD^2 from samples ``[N, D]`` and ``[M, D]``, N and M above 1.

    With the inverse multiquadratic kernel k(x, y) = C / (C + |x - y|^2), C = 2 D. A U-statistic: a
    sample is not compared with itself, and for equal laws the mean is 0 and half of the
    estimates are below it.
    """
    scale = 2.0 * x.shape[1]
    return _mean_of_pairs(x, scale) + _mean_of_pairs(y, scale) - 2 * _kernel(x, y, scale).mean()


def _mean_of_pairs(x: Tensor, scale: float) -> Tensor:
    """The mean kernel of two different samples; of one with itself it is 1."""
    count = len(x)
    kernel = _kernel(x, x, scale)
    return (kernel.sum() - kernel.diagonal().sum()) / (count * (count - 1))


def _kernel(x: Tensor, y: Tensor, scale: float) -> Tensor:
    squares = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1) - 2 * (x @ y.T)
    return scale / (scale + squares.clamp_min(0))
