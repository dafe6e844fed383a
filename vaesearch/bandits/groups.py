"""For which group the next proposal is, where the arms of a group are alike.

Such as those with one decoder: it is judged by what it reaches when tuned, not by its defaults.
"""

from collections.abc import Sequence

import numpy as np

from vaesearch.bandits.core import ArmHistory, History
from vaesearch.bandits.curves import Curves, fit
from vaesearch.bandits.normal import Array, expected_excess
from vaesearch.bandits.opening import smallest_group

FIRST = 3  # arms of each group before any of them is judged
PROBE = 0.3  # of its cap, that the best of these is trained for to that end
FLOOR = 0.15  # of the openings go to the groups in turn, whatever is believed of them
SHOWN = 20  # arms of a group that are looked at
WIDTH = 0.5  # of a kernel at each projected end, in standard deviations of those of the group
LEAST_WIDTH = 0.02  # the same, in typical gains


def next_group(history: History, groups: Sequence[str], rng: np.random.Generator) -> str:
    """The group that the next arm is of.

    Each has ``FIRST`` arms first. Then a group g is drawn with probability

        FLOOR / G + (1 - FLOOR) e_g / Σ e,    e_g = mean_j E[max(X_j - V, 0)],

    where V is the highest expected end of any arm's curve, G the number of groups, and X_j a draw
    from the end of arm j, widened by a kernel, as the next proposal is like those before but not
    the same. Thus a group counts by the best that it is likely to add. The floor keeps one that
    begins behind from being given up before it was tuned.
    """
    if len(groups) < 2:
        return groups[0]
    smallest = smallest_group(history, groups)
    if sum(arm.group == smallest for arm in history.arms) < FIRST:
        return smallest
    promise = promises(history, groups)
    total = promise.sum()
    shares = promise / total if total > 0 else np.full(len(groups), 1 / len(groups))
    shares = FLOOR / len(groups) + (1 - FLOOR) * shares
    return groups[int(rng.choice(len(groups), p=shares / shares.sum()))]


def probed(history: History) -> ArmHistory | None:
    """The best arm of a group of which only first epochs are known; None if there is none.

    One of a single group is never probed: there is nothing to choose.
    """
    groups = sorted({arm.group for arm in history.arms})
    if len(groups) < 2:
        return None
    able = {arm.name for arm in history.candidates}
    for group in groups:
        arms = [a for a in history.arms if a.group == group and a.status != "failed"]
        seen = [a for a in arms if a.rewards]
        if len(seen) < FIRST or any(a.pending for a in arms):
            continue
        if max(a.epochs for a in arms) >= max(_depth(history, a) for a in arms):
            continue
        free = [a for a in seen if a.name in able]
        if free:
            return max(free, key=lambda a: (a.value, a.name))
    return None


def _depth(history: History, arm: ArmHistory) -> float:
    """Epochs after which an arm shows what its group reaches."""
    cap = history.cap(arm)
    return float(np.ceil(PROBE * cap)) if np.isfinite(cap) else 10.0


def promises(history: History, groups: Sequence[str]) -> Array:
    """For each group the e_g of :func:`next_group`, in typical gains; shape (G,)."""
    arms = [arm for group in groups for arm in _shown(history, group)]
    if not arms:
        return np.zeros(len(groups))
    posterior = fit(Curves.of([arm.rewards for arm in arms]))
    ends = np.array([_end(history, arm) for arm in arms], dtype=float)
    going = (ends > posterior.epochs)[:, None]
    means, scales = posterior.at(np.maximum(ends, posterior.epochs + 1))
    best = posterior.best[:, None]
    means, scales = np.where(going, means, best), np.where(going, scales, 0.0)
    centres = np.maximum(np.sum(posterior.weights * means, axis=1), posterior.best)
    of = np.array([groups.index(arm.group) for arm in arms])
    found = []
    for g in range(len(groups)):
        mine = of == g
        width = max(LEAST_WIDTH, WIDTH * float(np.std(centres[mine]))) if mine.any() else 0.0
        wide = np.hypot(scales[mine], width)
        gains = expected_excess(means[mine], wide, float(centres.max()))
        per_arm = np.sum(posterior.weights[mine] * gains, axis=1)
        found.append(float(per_arm.mean()) if mine.any() else 0.0)
    return np.array(found)


def _shown(history: History, group: str) -> list[ArmHistory]:
    """The arms that speak for a group: the latest of those that are far enough."""
    arms = [a for a in history.arms if a.group == group and a.rewards and a.status != "failed"]
    far = [a for a in arms if a.epochs >= _depth(history, a)]
    return (far or sorted(arms, key=lambda a: -a.epochs)[:1])[-SHOWN:]


def _end(history: History, arm: ArmHistory) -> float:
    """The epoch at which an arm is judged: where all would end if they could."""
    end = history.cap(arm)
    return end if np.isfinite(end) else float(history.reach(arm))
