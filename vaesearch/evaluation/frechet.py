"""The Fréchet distance between features of two sets of pictures (Heusel et al. 2017).

Both sets are taken for Gaussian: FID = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). From N
pictures it is too high by about c / N, with another c for each pair of sets: figures are
comparable only at the same numbers of pictures, as they are only with the same features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.evaluation.estimates import Estimate

GROUPS = 20  # of the jackknife: its standard error is itself sure to about a sixth
ROWS = 4096  # features that are in float64 at once


@dataclass(frozen=True)
class Moments:
    """Sums over features, from which those of a part can be taken away.

    Attributes:
        count: N.
        total: ``[F]`` in float64.
        products: the sum of outer products, ``[F, F]``.
    """

    count: int
    total: Tensor
    products: Tensor

    @property
    def mean(self) -> Tensor:
        """``[F]``."""
        return self.total / self.count

    @property
    def covariance(self) -> Tensor:
        """``[F, F]``, with N - 1 below."""
        spread = self.products - torch.outer(self.total, self.mean)
        return spread / (self.count - 1)

    def without(self, part: "Moments") -> "Moments":
        """Of the features that are not in ``part``."""
        return Moments(
            self.count - part.count, self.total - part.total, self.products - part.products
        )


def moments(features: Tensor, origin: Tensor) -> Moments:
    """Sums over features ``[N, F]``, counted from ``origin``, ``[F]``, so that none is large."""
    size = features.shape[1]
    total, products = features.new_zeros(size).double(), features.new_zeros(size, size).double()
    for rows in features.split(ROWS):  # type: ignore[no-untyped-call]
        exact = rows.double() - origin
        total += exact.sum(dim=0)
        products += exact.T @ exact
    return Moments(len(features), total, products)


def frechet_distance(
    mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor
) -> float:
    """Squared distance of two Gaussians, in float64; covariances may be singular.

    tr (C1 C2)^(1/2) is the sum of the singular values of A' B, where C1 = A A' and C2 = B B': no
    root is taken of what rounding made of a zero in the product.

    Args:
        mean: of the one, ``[F]``.
        covariance: ``[F, F]``, symmetric.
        other_mean: of the other.
        other_covariance: the same.
    """
    shift = (mean.double() - other_mean.double()).square().sum()
    factor, other_factor = _factor(covariance.double()), _factor(other_covariance.double())
    overlap = torch.linalg.svdvals(factor.T @ other_factor).sum()
    spread = factor.square().sum() + other_factor.square().sum()  # traces: tr A A' = |A|^2
    return float(shift + spread - 2 * overlap)


def _factor(covariance: Tensor) -> Tensor:
    """A of C = A A': triangular, which is quick, and by eigenvalues where C is singular."""
    found = torch.linalg.cholesky_ex(covariance)
    factor: Tensor = found.L
    if found.info:
        values, vectors = torch.linalg.eigh(covariance)
        factor = vectors * values.clamp_min(0).sqrt()
    return factor


@dataclass(frozen=True)
class FrechetEstimate:
    """A distance, and how far it may be off.

    Attributes:
        distance: with its standard error over pictures of both sets.
        bias: how much too high it is for want of pictures, by the jackknife.
    """

    distance: Estimate
    bias: float


def frechet_estimate(features: Tensor, reference: Tensor) -> FrechetEstimate:
    """The distance of features ``[N, F]`` from a reference ``[M, F]``, by a grouped jackknife.

    A twentieth of each set is left out at a time. The n-th pictures may belong together, as a
    reconstruction and its original do: they are left out together.
    """
    origin = reference.mean(dim=0, dtype=torch.float64)
    whole, other_whole = moments(features, origin), moments(reference, origin)
    value = _distance(whole, other_whole)
    groups = min(GROUPS, len(features), len(reference))
    rest = []
    for part, other_part in zip(
        features.tensor_split(groups), reference.tensor_split(groups), strict=True
    ):
        kept = whole.without(moments(part, origin))
        rest.append(_distance(kept, other_whole.without(moments(other_part, origin))))
    left = torch.tensor(rest, dtype=torch.float64)
    error = (left.var(correction=0) * (groups - 1)).sqrt().item()
    bias = (groups - 1) * (left.mean().item() - value)
    return FrechetEstimate(Estimate(value, error, len(features)), bias)


def _distance(one: Moments, other: Moments) -> float:
    return frechet_distance(one.mean, one.covariance, other.mean, other.covariance)
