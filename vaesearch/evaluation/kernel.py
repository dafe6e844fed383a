"""The kernel distance between features of two sets of pictures (Bińkowski et al. 2018).

KID is the squared maximum mean discrepancy under k(x, y) = (x y / F + 1)^3. Unlike the Fréchet
distance it is unbiased at any number of pictures, and it may come out below zero.
"""

import torch
from torch import Tensor

from vaesearch.evaluation.estimates import Estimate, mean_of


def kernel_distance(features: Tensor, reference: Tensor) -> Tensor:
    """Unbiased squared discrepancy of features ``[N, F]`` and ``[M, F]``, a scalar in float64.

    N and M must be 2 at least.
    """
    x, y = features.double(), reference.double()
    return _among(x) + _among(y) - 2 * _kernel(x, y).mean()


def _among(x: Tensor) -> Tensor:
    """The mean over pairs of different pictures."""
    values = _kernel(x, x)
    count = len(x)
    return (values.sum() - values.diagonal().sum()) / (count * (count - 1))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_estimate(features: Tensor, reference: Tensor, subsets: int) -> Estimate:
    """The mean over disjoint subsets of both sets, and its standard error over them.

    The subsets share no picture, so they are independent. All pictures are used: the n-th subset
    of one set meets the n-th of the other.

    Args:
        features: ``[N, F]``; N at least ``2 * subsets``.
        reference: ``[M, F]``; the same of M.
        subsets: how many, 2 at least.

    Returns:
        ``count`` is N.
    """
    pairs = zip(features.tensor_split(subsets), reference.tensor_split(subsets), strict=True)
    mean = mean_of(torch.stack([kernel_distance(*pair) for pair in pairs]))
    return Estimate(mean.value, mean.error, len(features))
