"""RealNVP with an auxiliary variable and a reverse model (Cremer et al. 2018, section 2)."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaesearch.arguments import whole
from vaesearch.models.latents import AuxiliaryFlow, DiagonalGaussian, Flow
from vaesearch.models.posteriors.affine import (
    Conditioner,
    affine,
    bounded_log_scale,
    undo_affine,
)
from vaesearch.models.posteriors.diagonal import DiagonalGaussianPosterior
from vaesearch.models.posteriors.heads import at_least_float32, bounded_log_variance
from vaesearch.models.posteriors.stepwise import NEAR_IDENTITY

# Of one half of a step. At 3, and with ELU for ReLU, rare samples flew far off and modes were lost
# for some seeds (tests/models/test_published_flows.py).
MOST_LOG_SCALE = 1.5


@dataclass(frozen=True)
class Coupling:
    """(z, v) -> (z', v'): v is scaled and shifted by functions of z, then z by functions of v'.

    Attributes:
        of_z: shift and log-scale ``[..., B, D]`` of v, given z.
        of_v: shift and log-scale of z, given v'.
    """

    of_z: Conditioner
    of_v: Conditioner

    def __call__(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """Where (z, v) ``[..., B, 2 D]`` go, and the log-determinant there, ``[..., B]``."""
        z, v = both.chunk(2, dim=-1)
        v, first = affine(v, *self.of_z(z))
        z, second = affine(z, *self.of_v(v))
        return torch.cat([z, v], dim=-1), first + second

    def inverse(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """Where (z, v) came from, and the log-determinant of the map there."""
        z, v = both.chunk(2, dim=-1)
        z, second = undo_affine(z, *self.of_v(v))
        v, first = undo_affine(v, *self.of_z(z))
        return torch.cat([z, v], dim=-1), first + second


class GivenNetwork(nn.Module):
    """Two numbers per latent, as a function of other latents and of the image.

    Args:
        latent_dim: size D of z.
        hidden: size H of the two hidden layers.
        share: of the usual size of the last layer's weights at the start.
    """

    def __init__(self, latent_dim: int, hidden: int, share: float = 1.0) -> None:
        super().__init__()
        self.inner = nn.Linear(latent_dim, hidden, bias=False)
        self.between = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 2 * latent_dim)
        with torch.no_grad():
            self.out.weight.mul_(share)
            self.out.bias.mul_(share)

    def forward(self, z: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Two ``[..., B, D]`` of latents ``[..., B, D]``, and ``[B, H]`` of what is known of x."""
        hidden = F.relu(self.between(F.relu(self.inner(z) + image)))
        first, second = self.out(hidden).chunk(2, dim=-1)
        return first, second


class RealNVPPosterior(nn.Module):
    """Gaussians of z and of an auxiliary v of the same size, and couplings of the two.

    A step changes v given z and then z given v, with a dense network of two hidden layers for
    either: with one layer, one seed in ten parted two modes badly. The paper scales by a
    sigmoid, which can only shrink; here scales are exponentials, so that the maps can start near
    the identity. The reverse model r(v|x, z) is one more such network; the objective trains it,
    too, as it enters the bound. There is no density of z alone.

    Args:
        steps: how many couplings of either kind.
        hidden: size of the hidden layers.
        features: size of the encoder's output.
        latent_dim: size D of z.

    Raises:
        InputError: ``steps`` or ``hidden`` is no whole number of 1 or more.
    """

    def __init__(
        self, steps: int = 4, hidden: int = 64, *, features: int, latent_dim: int
    ) -> None:
        super().__init__()
        steps = whole("steps of --posterior realnvp", steps)
        self.hidden = whole("hidden of --posterior realnvp", hidden)
        self.base = DiagonalGaussianPosterior(features=features, latent_dim=2 * latent_dim)
        # What the image says to all networks at once, the reverse model's last.
        self.image = nn.Linear(features, (2 * steps + 1) * self.hidden)
        self.given = nn.ModuleList(
            GivenNetwork(latent_dim, self.hidden, NEAR_IDENTITY) for _ in range(2 * steps)
        )
        self.reverse = GivenNetwork(latent_dim, self.hidden)

    def forward(self, features: Tensor) -> AuxiliaryFlow:
        """q(z|x) for features ``[B, F]``."""
        *images, last = torch.split(at_least_float32(self.image(features)), self.hidden, dim=-1)
        conditioners = [
            partial(_conditioned, network, image)
            for network, image in zip(self.given, images, strict=True)
        ]
        pairs = zip(conditioners[::2], conditioners[1::2], strict=True)
        joint = Flow(self.base(features), [Coupling(*pair) for pair in pairs])
        return AuxiliaryFlow(joint, partial(_reversed, self.reverse, last))


def _conditioned(network: nn.Module, image: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    shift, raw = network(z, image)
    return shift, bounded_log_scale(raw, MOST_LOG_SCALE)


def _reversed(network: nn.Module, image: Tensor, z: Tensor) -> DiagonalGaussian:
    mean, raw = network(z, image)
    return DiagonalGaussian(mean, bounded_log_variance(raw))
