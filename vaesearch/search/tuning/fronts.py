"""Several objectives at once: which points dominate which, and how much a front is worth.

Everything here takes losses, that is figures turned so that lower is better, as ``[n, m]`` arrays:
n points, m objectives.
"""

from collections.abc import Sequence

import numpy as np

Points = Sequence[Sequence[float]] | np.ndarray


def dominators(points: Points) -> np.ndarray:
    """Whether point i dominates point j, ``[n, n]``: nowhere worse, and better somewhere."""
    losses = _matrix(points)
    no_worse = (losses[:, None] <= losses[None, :]).all(axis=2)
    better = (losses[:, None] < losses[None, :]).any(axis=2)
    return np.asarray(no_worse & better)


def front(points: Points) -> list[int]:
    """The places of the points that no other dominates, in order; of equal points all."""
    return [int(i) for i in np.flatnonzero(~dominators(points).any(axis=0))]


def layers(points: Points) -> list[list[int]]:
    """The front, the front of what is left without it, and so on.

    Paper: Srinivas & Deb, "Multiobjective optimization using nondominated sorting in genetic
    algorithms", Evolutionary Computation 2(3), 1994.
    """
    dominates = dominators(points)
    left = np.arange(len(points))
    found = []
    while left.size:
        free = ~dominates[np.ix_(left, left)].any(axis=0)
        found.append([int(i) for i in left[free]])
        left = left[~free]
    return found


def order(points: Points) -> list[int]:
    """All points, best first: by layers, and within a layer so that any first few are spread out.

    A layer begins with its best point in the first objective, then its best in each of the
    others; each next one is that which is farthest from those before. Distances are in ranks
    within the layer, so that neither units nor outliers count.

    Paper: Schmucker et al., "Multi-objective asynchronous successive halving", 2021, whose
    ``epsilon-net`` this is but for the ranks and the first few.
    """
    losses = _matrix(points)
    return [i for layer in layers(points) for i in _spread(layer, losses[layer])]


def _spread(layer: Sequence[int], losses: np.ndarray) -> list[int]:
    """The layer in the order in which it would be thinned out from the end."""
    ranks = np.stack([np.unique(column, return_inverse=True)[1] for column in losses.T], axis=1)
    ends = dict.fromkeys(int(np.lexsort((ranks.sum(axis=1), column))[0]) for column in ranks.T)
    chosen = list(ends)
    distance = _distances(ranks, ranks[chosen]).min(axis=1)
    while len(chosen) < len(layer):
        distance[chosen] = -1.0
        farthest = int(distance.argmax())
        chosen.append(farthest)
        distance = np.minimum(distance, _distances(ranks, ranks[[farthest]])[:, 0])
    return [layer[i] for i in chosen]


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(first[:, None] - second[None, :], axis=2))


def hypervolume(points: Points, reference: Sequence[float]) -> float:
    """The volume that ``points`` dominate below ``reference``, exactly.

    It is the sum over the points of what each adds to those after it, which is the box below it
    less the volume of those others cut off at that box.

    Paper: While, Bradstreet & Barone, "A fast way of calculating exact hypervolumes", IEEE Trans.
    Evol. Comput. 16(1), 2012.

    Args:
        points: losses; those that are not below the reference everywhere add nothing.
        reference: ``[m]``, what is as bad as it gets.
    """
    corner = np.asarray(reference, dtype=float)
    losses = _matrix(points) if len(points) else np.empty((0, len(corner)))
    inside = losses[(losses < corner).all(axis=1)]
    return _volume(np.unique(inside, axis=0), corner)


def _volume(losses: np.ndarray, corner: np.ndarray) -> float:
    losses = losses[front(losses)]
    if losses.shape[1] == 2:
        return _area(losses, corner)
    total = 0.0
    for place, loss in enumerate(losses):
        rest = np.unique(np.maximum(losses[place + 1 :], loss), axis=0)
        total += float(np.prod(corner - loss)) - (_volume(rest, corner) if len(rest) else 0.0)
    return total


def _area(losses: np.ndarray, corner: np.ndarray) -> float:
    """Two objectives: a staircase."""
    steps = losses[np.argsort(losses[:, 0])]
    heights = np.concatenate([[corner[1]], steps[:-1, 1]]) - steps[:, 1]
    return float(((corner[0] - steps[:, 0]) * heights).sum())


def _matrix(points: Points) -> np.ndarray:
    losses = np.asarray(points, dtype=float)
    return losses if len(losses) else np.empty((0, 1))
