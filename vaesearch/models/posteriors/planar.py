"""Planar flows (Rezende & Mohamed 2015, section 4.1 and appendix A.1)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.posteriors.stepwise import StepwisePosterior

LEAST_GAIN = 1e-3  # of z along w: what is squeezed more cannot be told apart again in float32
SMALL = 1e-3  # below this a ratio of two small numbers is replaced by its series
LEAST_SQUARE = 1e-24  # of the length of w: the direction of a w this short is of no account
MOST_ITERATIONS = 60
SHIFT = math.log(math.e - 1)


@dataclass(frozen=True)
class Planar:
    """The map z + u tanh(wᵀz + b), whose gain 1 + wᵀu is above 0, so that it can be inverted.

    Attributes:
        u: ``[B, D]``, as :func:`constrained` gives it.
        w: ``[B, D]``.
        b: ``[B]``.
        gain: 1 + wᵀu, ``[B]``, to more digits than that sum would have.
    """

    u: Tensor
    w: Tensor
    b: Tensor
    gain: Tensor

    def __call__(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where z ``[..., B, D]`` goes, and the log-determinant there, ``[..., B]``."""
        bend = torch.tanh((self.w * z).sum(dim=-1) + self.b)
        return torch.addcmul(z, self.u, bend.unsqueeze(-1)), self._log_det(bend)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where z came from, and the log-determinant of the map there.

        Along w the map is t + (gain - 1) tanh(t) for t = wᵀz + b, which increases.
        """
        target = (self.w * z).sum(dim=-1) + self.b
        with torch.no_grad():
            root = _root(target, self.gain)
        # One step more, from a point that is a constant, gives the root its exact gradient.
        bend = torch.tanh(root)
        miss = root + (self.gain - 1) * bend - target
        bend = torch.tanh(root - miss / _slope(self.gain, bend))
        return torch.addcmul(z, self.u, bend.unsqueeze(-1), value=-1), self._log_det(bend)

    def _log_det(self, bend: Tensor) -> Tensor:
        return _slope(self.gain, bend).log()


def planar(u: Tensor, w: Tensor, b: Tensor) -> Planar:
    """The planar map of free parameters u ``[..., D]``, w ``[..., D]``, b ``[...]``."""
    u, gain = constrained(u, w)
    return Planar(u, w, b, gain)


def constrained(u: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """``u`` moved along ``w`` until the map can be inverted, and the gain 1 + wᵀu it has then.

    The paper moves u until wᵀu is m(wᵀu) = softplus(wᵀu) - 1, above -1. Where u = 0 that is
    log 2 - 1, no identity, and as w goes to 0 it takes u to infinity. Here m(a) is
    softplus(a + log(e - 1)) - 1, so u = 0 is the identity and w = 0 harmless; the maps that can
    be had are the same, under other names. The gain has a floor of ``LEAST_GAIN``.

    Args:
        u: free, ``[..., D]``.
        w: free, ``[..., D]``.

    Returns:
        u ``[..., D]`` and the gain ``[...]``.
    """
    length = (w.square().sum(dim=-1, keepdim=True) + LEAST_SQUARE).sqrt()
    direction = w / length
    along = (direction * u).sum(dim=-1, keepdim=True)
    dot = along * length
    gain = LEAST_GAIN + (1 - LEAST_GAIN) * F.softplus(dot + SHIFT)
    u = u + (_kept(dot, gain) - 1) * along * direction
    return u, gain.squeeze(-1)


def _kept(dot: Tensor, gain: Tensor) -> Tensor:
    """The share (gain - 1) / dot that is kept of wᵀu, also where wᵀu is 0."""
    is_small = dot.abs() < SMALL
    first = 1 - 1 / math.e  # the Taylor series of softplus(a + log(e - 1)) - 1 at 0
    second, third = first / (2 * math.e), first * (1 - 2 * first) / (6 * math.e)
    series = (1 - LEAST_GAIN) * (first + dot * (second + dot * third))
    return torch.where(is_small, series, (gain - 1) / torch.where(is_small, 1.0, dot))


def _slope(gain: Tensor, bend: Tensor) -> Tensor:
    """1 + (gain - 1) (1 - bend²): the determinant at bend = tanh(wᵀz + b).

    It lies between the gain and 1; ``lerp`` goes from the nearer one, so it is above 0 in float32.
    """
    return torch.lerp(gain, gain.new_ones(()), bend.square())


def _root(target: Tensor, gain: Tensor) -> Tensor:
    """The t such that t + (gain - 1) tanh(t) = target.

    On one side of 0 that function bends one way only, so Newton's method from a bound of the
    root on the right side goes to the root without ever passing it.
    """
    distance, bend = target.abs(), gain - 1
    bounds = torch.stack([distance / gain, distance - bend])
    root = torch.where(bend > 0, bounds.amax(dim=0), bounds.amin(dim=0))
    least = torch.finfo(root.dtype).eps
    for _ in range(MOST_ITERATIONS):
        tangent = torch.tanh(root)
        change = (root + bend * tangent - distance) / _slope(gain, tangent)
        root = root - change
        # Where looking would make the host wait for a device, all iterations are made.
        if root.device.type == "cpu" and bool((change.abs() <= 4 * least * root).all()):
            break
    return root * target.sign()


class PlanarPosterior(StepwisePosterior):
    """A diagonal Gaussian and planar maps, all with parameters of their own for each image.

    u, w and b are linear in the features. The maps start near the identity, u being a tenth of
    what a linear layer makes by default, but not at it: with u = 0 no gradient would reach w, and
    with equal parameters the steps would stay equal.

    Args:
        steps: how many maps; 8 make a training step of small dense networks 1.2 times as long.
        features: size of the encoder's output.
        latent_dim: size of z.

    Raises:
        InputError: ``steps`` is no whole number of 1 or more.
    """

    name = "planar"

    def __init__(self, steps: int = 8, *, features: int, latent_dim: int) -> None:
        super().__init__(steps, 2 * latent_dim + 1, features=features, latent_dim=latent_dim)
        self.shrink_heads(slice(0, latent_dim))

    def maps(self, parameters: Tensor) -> list[Planar]:
        """One map for each step of parameters ``[B, steps, 2 D + 1]``."""
        return planar_steps(parameters)


def planar_steps(parameters: Tensor) -> list[Planar]:
    """Planar maps of free parameters (u, w, b) ``[..., steps, 2 D + 1]``, made all at once."""
    dims = parameters.shape[-1] // 2
    u, w, b = torch.split(parameters, [dims, dims, 1], dim=-1)
    u, gain = constrained(u, w)
    parts = (u.unbind(-2), w.unbind(-2), b.squeeze(-1).unbind(-1), gain.unbind(-1))
    return [Planar(*step) for step in zip(*parts, strict=True)]
