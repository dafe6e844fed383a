"""Radial flows (Rezende & Mohamed 2015, section 4.1 and appendix A.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.posteriors.stepwise import StepwisePosterior

LEAST_WIDTH = 1e-3


@dataclass(frozen=True)
class Radial:
    """The map z + beta (z - centre) / (width + r), where r is the distance of z from the centre.

    It can be inverted where reach = width + beta is above 0.

    Attributes:
        centre: ``[B, D]``.
        width: alpha of the paper, above 0, ``[B]``.
        reach: alpha + beta of the paper, above 0, ``[B]``.
    """

    centre: Tensor
    width: Tensor
    reach: Tensor

    def __call__(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where z ``[..., B, D]`` goes, and the log-determinant there, ``[..., B]``."""
        away = z - self.centre
        distance = away.square().sum(dim=-1).clamp_min(_tiny(z)).sqrt()
        stretch = (distance + self.reach) / (distance + self.width)
        z = torch.addcmul(self.centre, away, stretch.unsqueeze(-1))
        return z, self._log_det(distance, stretch, z.shape[-1])

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where z came from, and the log-determinant of the map there.

        A distance r becomes r (r + reach) / (r + width), so r is the root of a quadratic.
        """
        away = z - self.centre
        distance = away.square().sum(dim=-1).clamp_min(_tiny(z)).sqrt()
        lack = self.reach - distance
        product = self.width * distance
        total = lack.abs() + (lack.square() + 4 * product).sqrt()
        # Of two forms of the root the one in which nothing cancels out.
        before = torch.where(lack > 0, 2 * product / total, 0.5 * total)
        stretch = (before + self.reach) / (before + self.width)
        z = torch.addcdiv(self.centre, away, stretch.unsqueeze(-1))
        return z, self._log_det(before, stretch, z.shape[-1])

    def _log_det(self, distance: Tensor, stretch: Tensor, dims: int) -> Tensor:
        """(D - 1) log(1 + beta h) + log(1 + beta h + beta h' r), as sums of positive numbers."""
        along = (distance + self.width * stretch) / (distance + self.width)
        return (dims - 1) * stretch.log() + along.log()


def _tiny(z: Tensor) -> float:
    # The square root has no derivative at 0, and distances below this make no difference.
    return torch.finfo(z.dtype).tiny


def radial(centre: Tensor, width: Tensor, reach: Tensor) -> Radial:
    """The radial map of free parameters centre ``[..., D]``, width ``[...]``, reach ``[...]``.

    Both lengths go through softplus, so beta is above -alpha as in the paper, and where they are
    equal the map is the identity.
    """
    return Radial(centre, LEAST_WIDTH + F.softplus(width), LEAST_WIDTH + F.softplus(reach))


class RadialPosterior(StepwisePosterior):
    """A diagonal Gaussian and radial maps, all with parameters of their own for each image.

    Centre, width and reach are linear in the features. The maps start near the identity, width
    and reach being near each other, and with centres of their own, or the steps would stay equal.

    Args:
        steps: how many maps.
        features: size of the encoder's output.
        latent_dim: size of z.

    Raises:
        InputError: ``steps`` is no whole number of 1 or more.
    """

    name = "radial"

    def __init__(self, steps: int = 8, *, features: int, latent_dim: int) -> None:
        super().__init__(steps, latent_dim + 2, features=features, latent_dim=latent_dim)
        self.shrink_heads(slice(latent_dim, latent_dim + 2))

    def maps(self, parameters: Tensor) -> list[Radial]:
        """One map for each step of parameters ``[B, steps, D + 2]``."""
        return radial_steps(parameters)


def radial_steps(parameters: Tensor) -> list[Radial]:
    """Radial maps of free parameters (centre, width, reach) ``[..., steps, D + 2]``."""
    centre = parameters[..., :-2].unbind(-2)
    width, reach = (LEAST_WIDTH + F.softplus(parameters[..., -2:])).unbind(-1)
    parts = zip(centre, width.unbind(-1), reach.unbind(-1), strict=True)
    return [Radial(*step) for step in parts]
