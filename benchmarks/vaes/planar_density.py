"""The density that planar maps without a constraint give, also where they fold space.

A layer z + u tanh(w'z + b) with w'u < -1 is not invertible: a point may come from up to three. Its
density is then the sum over all of them, and the density of one alone would make a bound look
better than it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 60  # of bisection: to the last bit of float64


@dataclass(frozen=True)
class SignedPlanar:
    """A planar layer as it is: ``w`` and ``u`` are ``[D]``, ``b`` a number; float64."""

    w: Tensor
    u: Tensor
    b: Tensor

    @property
    def folds(self) -> bool:
        """Whether some points come from more than one."""
        return bool(self.w @ self.u < -1)

    def __call__(self, z: Tensor) -> Tensor:
        """Images ``[..., D]`` of points ``[..., D]``."""
        return z + self.u * torch.tanh(z @ self.w + self.b).unsqueeze(-1)

    def preimages(self, z: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Points that go to ``z`` ``[..., D]``, one of each branch.

        Returns:
            For each branch the points ``[..., D]``, log|det| of the map there ``[...]``, and
            whether there is one ``[...]``.
        """
        # With s = w'z0 + b this is one equation, s + c tanh(s) = y.
        c, y = self.w @ self.u, z @ self.w + self.b
        found = []
        for low, high, sign in self._branches(c, y):
            s = _bisect(c, y, low, high, sign)
            # Not by the remainder at s: next to a fold that is small where there is no solution.
            exists = (sign * (_value(c, low) - y) <= 0) & (sign * (_value(c, high) - y) >= 0)
            slope = 1 + c * (1 - torch.tanh(s).square())
            log_det = slope.abs().clamp_min(1e-300).log()
            found.append((z - self.u * torch.tanh(s).unsqueeze(-1), log_det, exists))
        return found

    def _branches(self, c: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor, int]]:
        """Intervals in which the equation's left side is monotone, and 1 where it rises."""
        far = c.abs() + 1
        if not self.folds:
            return [(y - far, y + far, 1)]
        turn = torch.acosh((-c).sqrt()).expand_as(y)
        return [
            (torch.minimum(y - far, -turn), -turn, 1),
            (-turn, turn, -1),
            (turn, torch.maximum(y + far, turn), 1),
        ]


def _value(c: Tensor, s: Tensor) -> Tensor:
    return s + c * torch.tanh(s)


def _bisect(c: Tensor, y: Tensor, low: Tensor, high: Tensor, sign: int) -> Tensor:
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        is_above = sign * (_value(c, middle) - y) > 0
        low, high = torch.where(is_above, low, middle), torch.where(is_above, middle, high)
    return 0.5 * (low + high)


def pushforward_log_density(
    layers: Sequence[SignedPlanar], base: Callable[[Tensor], Tensor], z: Tensor
) -> Tensor:
    """Log-density ``[...]`` at ``z`` ``[..., D]`` of what ``layers`` make of ``base``'s samples.

    Args:
        layers: in the order in which they are applied.
        base: log-density of points ``[..., D]``.
        z: float64.
    """
    if not layers:
        return base(z)
    *earlier, last = layers
    parts = []
    for before, log_det, exists in last.preimages(z):
        inner = pushforward_log_density(earlier, base, before) - log_det
        parts.append(torch.where(exists, inner, -torch.inf))
    return parts[0] if len(parts) == 1 else torch.logsumexp(torch.stack(parts), dim=0)
