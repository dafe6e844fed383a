"""Penalties that make latents uncorrelated over the data: DIP-VAE (Kumar et al. 2018)."""

import torch
from torch import Tensor

from vaesearch.arguments import number
from vaesearch.models.latents import GaussianPosterior
from vaesearch.objectives.terms import Terms


class _DIP:
    """The KL and a penalty on how a covariance over the batch differs from the identity."""

    def __init__(self, off_diagonal: float, diagonal: float) -> None:
        self.off_diagonal = number("lambda_od, the first weight of dip,", off_diagonal)
        self.diagonal = number("lambda_d, the second weight of dip,", diagonal)

    def __call__(self, terms: Terms, generator: torch.Generator | None) -> Tensor:
        """Cost in nats, ``[B]``; the penalty is the batch's."""
        if not isinstance(terms.posterior, GaussianPosterior):
            raise TypeError(f"{type(terms.posterior).__name__} has no covariance")
        return terms.kl + self._penalty(self._covariance(terms.posterior))

    def _covariance(self, q: GaussianPosterior) -> Tensor:
        """Of the latents, ``[D, D]``."""
        raise NotImplementedError

    def _penalty(self, covariance: Tensor) -> Tensor:
        """lambda_od * sum of squares off the diagonal + lambda_d * sum of (C_ii - 1)^2."""
        variances = covariance.diagonal()
        off = covariance.square().sum() - variances.square().sum()
        return self.off_diagonal * off + self.diagonal * (variances - 1).square().sum()


class DIPI(_DIP):
    """Penalises the covariance of the means of q(z|x); for Gaussian posteriors.

    Args:
        off_diagonal: nats per squared covariance of two latents.
        diagonal: nats per squared difference of a variance from 1.

    Raises:
        InputError: one is no number, or below 0.
    """

    def __init__(self, off_diagonal: float = 10, diagonal: float = 100) -> None:
        super().__init__(off_diagonal, diagonal)

    def _covariance(self, q: GaussianPosterior) -> Tensor:
        return covariance_of(q.mean)


class DIPII(_DIP):
    """Penalises the covariance of q(z) = mean of q(z|x): that of the means and the mean own one.

    For Gaussian posteriors, of full covariance too.

    Args:
        off_diagonal: nats per squared covariance of two latents.
        diagonal: nats per squared difference of a variance from 1.

    Raises:
        InputError: one is no number, or below 0.
    """

    def __init__(self, off_diagonal: float = 10, diagonal: float = 10) -> None:
        super().__init__(off_diagonal, diagonal)

    def _covariance(self, q: GaussianPosterior) -> Tensor:
        return covariance_of(q.mean) + q.covariance().mean(dim=0)


def covariance_of(means: Tensor) -> Tensor:
    """Covariance ``[D, D]`` of the B points ``[B, D]``, which are all there is: divided by B."""
    centred = means - means.mean(dim=0)
    return centred.T @ centred / len(means)
