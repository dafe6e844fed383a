"""Inverse autoregressive flow (Kingma et al. 2016)."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional as F

from vaesearch.arguments import whole
from vaesearch.models.latents import Flow
from vaesearch.models.posteriors.affine import (
    Conditioner,
    affine,
    bounded_log_scale,
    undo_affine,
)
from vaesearch.models.posteriors.diagonal import DiagonalGaussianPosterior
from vaesearch.models.posteriors.heads import at_least_float32
from vaesearch.models.posteriors.stepwise import NEAR_IDENTITY

# Importing zuko switches off, for the whole process, the checks that torch's distributions make
# of their arguments; whoever wants them on gets them back.
_checks = Distribution._validate_args
from zuko.nn import MaskedMLP  # noqa: E402

Distribution.set_default_validate_args(_checks)

MOST_LOG_SCALE = 2.0  # of one step


@dataclass(frozen=True)
class Autoregressive:
    """Scale and shift each latent by functions of the latents before it (eq. 10).

    Attributes:
        conditioner: shift and log-scale ``[..., B, D]`` of latents ``[..., B, D]``.
        order: of the latents, first one first.
    """

    conditioner: Conditioner
    order: tuple[int, ...]

    def __call__(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where z goes, and the log-determinant there, ``[..., B]``, in one pass."""
        return affine(z, *self.conditioner(z))

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where z came from, and the log-determinant of the map there, in D passes.

        Latents that are not known yet stay 0, so that no wild guess can spoil the others.
        """
        before, log_det = torch.zeros_like(z), z.new_zeros(z.shape[:-1])
        places = torch.arange(z.shape[-1], device=z.device)
        for place in self.order:
            shift, log_scale = self.conditioner(before)
            found, _ = undo_affine(z, shift, log_scale)
            before = torch.where(places == place, found, before)
            log_det = log_det + log_scale[..., place]
        return before, log_det


class MaskedNetwork(nn.Module):
    """Shift and log-scale of each latent from the latents before it and from the image.

    Args:
        order: of the D latents.
        context: how many numbers say what is known of the image.
        hidden: size of the two hidden layers.
    """

    def __init__(self, order: tuple[int, ...], context: int, hidden: int) -> None:
        super().__init__()
        self.dims = len(order)
        # The masks are found by looking at numbers, which meta tensors do not have.
        place = torch.get_default_device()
        with torch.device("cpu"):
            rank = torch.tensor(order).argsort()
            before = rank.unsqueeze(0) < rank.unsqueeze(1)
            seen = torch.cat([before, before.new_ones(self.dims, context)], dim=1)
            # ReLU, not the paper's ELU: its sharp bends part the modes of a density, where on the
            # same two modes ELU lost one (tests/models/test_published_flows.py).
            layers = MaskedMLP(torch.cat([seen, seen]), (hidden, hidden), nn.ReLU)
            # By default weights shrink with all inputs. z has few of them and must be heard from
            # the start: on nearly linear networks a flow stays as straight as a Gaussian.
            with torch.no_grad():
                layers[0].weight[:, : self.dims].mul_((1 + context / self.dims) ** 0.5)
                layers[-1].weight.mul_(NEAR_IDENTITY)
                layers[-1].bias.mul_(NEAR_IDENTITY)
        self.layers = layers.to(place)

    def forward(self, context: Tensor) -> Conditioner:
        """The conditioner of images with context ``[B, C]``, which it looks at only once."""
        first, *rest = self.layers
        weight = first.mask * first.weight
        image = at_least_float32(F.linear(context, weight[:, self.dims :], first.bias))
        return partial(_conditioned, rest, weight[:, : self.dims], image)


def _conditioned(
    layers: list[nn.Module], inner: Tensor, image: Tensor, z: Tensor
) -> tuple[Tensor, Tensor]:
    hidden = image + F.linear(z, inner)
    for layer in layers:
        hidden = layer(hidden)
    shift, raw = hidden.chunk(2, dim=-1)
    return shift, bounded_log_scale(raw, MOST_LOG_SCALE)


class IAFPosterior(nn.Module):
    """A diagonal Gaussian and autoregressive steps, in the opposite order each time.

    Scales are exponentials and all steps start near the identity. The paper's gates (eq. 14) only
    shrink z, and from one seed to another they lost modes (tests/models/test_published_flows.py).
    The networks are masked dense ones (zuko's) of two hidden layers, with the encoder's features
    beside z. Sampling takes one pass of each step's network; the density at a z that is not its
    own sample takes D passes.

    Args:
        steps: how many.
        hidden: size of the hidden layers.
        context: how many numbers they are told of the image. With 0 all images share one map, as
            if the prior were a flow.
        features: size of the encoder's output.
        latent_dim: size D of z.

    Raises:
        InputError: ``steps`` or ``hidden`` is no whole number of 1 or more, or ``context`` none.
    """

    def __init__(
        self,
        steps: int = 4,
        hidden: int = 128,
        context: int = 128,
        *,
        features: int,
        latent_dim: int,
    ) -> None:
        super().__init__()
        steps = whole("steps of --posterior iaf", steps)
        hidden = whole("hidden of --posterior iaf", hidden)
        context = whole("context of --posterior iaf", context, least=0)
        self.base = DiagonalGaussianPosterior(features=features, latent_dim=latent_dim)
        self.context = nn.Linear(features, context) if context else None
        ascending = tuple(range(latent_dim))
        self.orders = [ascending[:: 1 - 2 * (step % 2)] for step in range(steps)]
        self.networks = nn.ModuleList(MaskedNetwork(o, context, hidden) for o in self.orders)

    def forward(self, features: Tensor) -> Flow:
        """q(z|x) for features ``[B, F]``."""
        told = features[:, :0] if self.context is None else self.context(features)
        context = at_least_float32(told)
        steps = []
        for network, order in zip(self.networks, self.orders, strict=True):
            steps.append(Autoregressive(network(context), order))
        return Flow(self.base(features), steps)
