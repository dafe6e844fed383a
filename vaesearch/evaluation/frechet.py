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

    tr (C1 C2)^(1/2) is the sum of the singular values of C1^(1/2) C2^(1/2): no root is taken of
    what rounding made of a zero.

    Args:
        mean: of the one, ``[F]``.
        covariance: ``[F, F]``, symmetric.
        other_mean: of the other.
        other_covariance: the same.
    """
    shift = (mean.double() - other_mean.double()).square().sum()
    root, other_root = _root(covariance), _root(other_covariance)
    overlap = torch.linalg.svdvals(root @ other_root).sum()
    spread = root.square().sum() + other_root.square().sum()  # traces: tr C = |C^(1/2)|^2
    return float(shift + spread - 2 * overlap)


def _root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance.double())
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


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
    sets = [_grouped(rows, origin) for rows in (features, reference)]
    value = _distance(*(whole for whole, _ in sets))
    groups = zip(*(parts for _, parts in sets), strict=True)
    left = torch.tensor(
        [
            _distance(*(whole.without(part) for (whole, _), part in zip(sets, pair, strict=True)))
            for pair in groups
        ],
        dtype=torch.float64,
    )
    others = len(left) - 1
    error = (left.var(correction=0) * others).sqrt().item()
    bias = others * (left.mean().item() - value)
    return FrechetEstimate(Estimate(value, error, len(features)), bias)


def _grouped(features: Tensor, origin: Tensor) -> tuple[Moments, list[Moments]]:
    parts = [moments(rows, origin) for rows in features.tensor_split(GROUPS)]
    whole = Moments(
        len(features),
        torch.stack([part.total for part in parts]).sum(dim=0),
        torch.stack([part.products for part in parts]).sum(dim=0),
    )
    return whole, parts


def _distance(one: Moments, other: Moments) -> float:
    return frechet_distance(one.mean, one.covariance, other.mean, other.covariance)
