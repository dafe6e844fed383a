"""Flows with free parameters for each image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaesearch.evaluation.local.core import LocalPosterior
from vaesearch.evaluation.local.gaussians import Base
from vaesearch.evaluation.local.networks import ImageNetworks, fresh_layers, linear_layers
from vaesearch.models.latents import AuxiliaryFlow, DiagonalGaussian, Flow, FullGaussian, Step
from vaesearch.models.posteriors import iaf, realnvp
from vaesearch.models.posteriors.affine import bounded_log_scale
from vaesearch.models.posteriors.heads import at_least_float32, bounded_log_variance
from vaesearch.models.posteriors.stepwise import StepwisePosterior


class LocalStepwise(LocalPosterior):
    """A planar or radial flow for each image.

    Args:
        posterior: whose heads say where it starts.
        features: of B images, ``[B, F]``.
    """

    def __init__(self, posterior: StepwisePosterior, features: Tensor) -> None:
        super().__init__()
        self.base = Base(posterior.base(features))
        parameters = at_least_float32(posterior.heads(features)).detach()
        self.steps = nn.Parameter(parameters.view(len(features), posterior.steps, -1).clone())
        self.maps: Callable[[Tensor], Sequence[Step]] = posterior.maps

    def forward(self, *, paired: bool = False) -> Flow:
        """q(z|x)."""
        return Flow(self.base(paired=paired), self.maps(self.steps))


class LocalIAF(LocalPosterior):
    """An autoregressive flow for each image: copies of the networks that the images share.

    Args:
        posterior: where it starts.
        features: of B images, ``[B, F]``.
    """

    def __init__(self, posterior: iaf.IAFPosterior, features: Tensor) -> None:
        super().__init__()
        self.base = Base(posterior.base(features))
        self.orders = posterior.orders
        told = features[:, :0] if posterior.context is None else posterior.context(features)
        self.networks = nn.ModuleList(
            _copied(network, at_least_float32(told)) for network in posterior.networks
        )

    def forward(self, *, paired: bool = False) -> Flow:
        """q(z|x)."""
        steps = []
        for network, order in zip(self.networks, self.orders, strict=True):
            conditioner = partial(_bounded, network, iaf.MOST_LOG_SCALE)
            steps.append(iaf.Autoregressive(conditioner, order))
        return Flow(self.base(paired=paired), steps)

    def slow(self) -> list[nn.Parameter]:
        """The networks."""
        return list(self.networks.parameters())


def _copied(network: Any, context: Tensor) -> ImageNetworks:
    """A masked network for each image; what it is told of the image is in its first biases."""
    linear: Any = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    masks = [layer.mask.T.to(layer.weight) for layer in linear]
    weights = [(layer.mask * layer.weight).T for layer in linear]
    image = F.linear(context, weights[0][network.dims :].T, linear[0].bias)
    masks[0], weights[0] = masks[0][: network.dims], weights[0][: network.dims]
    biases = [image, *(layer.bias for layer in linear[1:])]
    return ImageNetworks(list(zip(weights, biases, strict=True)), len(context), masks)


class LocalCouplings(LocalPosterior):
    """Couplings of z and an auxiliary v, and a reverse model r(v|x, z), for each image.

    Args:
        base: Gaussian of (z, v), ``[B, 2 D]``.
        given: two networks for each step.
        reverse: network of r.
        frame: a Gaussian of z in whose units the couplings and r work; None for none.
    """

    def __init__(
        self,
        base: DiagonalGaussian,
        given: Sequence[ImageNetworks],
        reverse: ImageNetworks,
        frame: FullGaussian | None = None,
    ) -> None:
        super().__init__()
        self.base = Base(base)
        self.given = nn.ModuleList(given)
        self.reverse = reverse
        self.frame = None if frame is None else Frame(frame)

    def forward(  # type: ignore[override]  # it has no density
        self, *, paired: bool = False
    ) -> AuxiliaryFlow:
        """q(z|x)."""
        conditioners = [partial(_bounded, net, realnvp.MOST_LOG_SCALE) for net in self.given]
        pairs = zip(conditioners[::2], conditioners[1::2], strict=True)
        steps: list[Step] = [realnvp.Coupling(*pair) for pair in pairs]
        if self.frame is not None:
            steps.append(self.frame)
        return AuxiliaryFlow(Flow(self.base(paired=paired), steps), self._reversed)

    def slow(self) -> list[nn.Parameter]:
        """The networks."""
        return [*self.given.parameters(), *self.reverse.parameters()]

    def _reversed(self, z: Tensor) -> DiagonalGaussian:
        mean, raw = self.reverse(z if self.frame is None else self.frame.whitened(z))
        return DiagonalGaussian(mean, bounded_log_variance(raw))


@dataclass(frozen=True)
class Frame:
    """The last step of a flow on (z, v): from the units of a Gaussian of z to those of z."""

    gaussian: FullGaussian

    def __call__(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """Where (z, v) ``[..., B, 2 D]`` go, and the log-determinant, ``[..., B]``."""
        z, v = both.chunk(2, dim=-1)
        factor = self.gaussian.scale_tril
        z = self.gaussian.mean + torch.einsum("bij,...bj->...bi", factor, z)
        log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
        return torch.cat([z, v], dim=-1), log_det.expand(z.shape[:-1])

    def inverse(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """Where (z, v) came from, and the log-determinant of the map there."""
        z, v = both.chunk(2, dim=-1)
        factor = self.gaussian.scale_tril
        log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
        return torch.cat([self.whitened(z), v], dim=-1), log_det.expand(z.shape[:-1])

    def whitened(self, z: Tensor) -> Tensor:
        """Latents in the units of the Gaussian."""
        return torch.einsum("bij,...bj->...bi", self._inverse, z - self.gaussian.mean)

    @cached_property
    def _inverse(self) -> Tensor:
        factor = self.gaussian.scale_tril
        identity = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
        inverse: Tensor = torch.linalg.solve_triangular(factor, identity, upper=False)
        return inverse


def local_realnvp(posterior: realnvp.RealNVPPosterior, features: Tensor) -> LocalCouplings:
    """The couplings that the model was trained with: copies of the networks images share."""
    told = torch.split(at_least_float32(posterior.image(features)), posterior.hidden, dim=-1)
    networks = [
        ImageNetworks(
            [
                (network.inner.weight.T, image),
                (network.between.weight.T, network.between.bias),
                (network.out.weight.T, network.out.bias),
            ],
            len(features),
        )
        for network, image in zip([*posterior.given, posterior.reverse], told, strict=True)
    ]
    return LocalCouplings(posterior.base(features), networks[:-1], networks[-1])


def couplings_of(
    q: FullGaussian, generator: torch.Generator, steps: int, hidden: int
) -> LocalCouplings | None:
    """Couplings that are exactly a Gaussian with correlations; None with less than 2 D units.

    With the covariance S = U diag(l) Uᵀ and a variance s below all of l, z is the mean plus
    noise of variance s plus B v, where B = U diag(l - s)^½. Then v given z is a Gaussian that is
    diagonal, of the mean Bᵀ S⁻¹ (z - mean) and the variances s / l.

    Args:
        q: of B images.
        generator: of what the networks' other units start as.
        steps: of the couplings; all but the first do nothing yet.
        hidden: units of the networks.
    """
    images, dims = q.mean.shape
    if hidden < 2 * dims:
        return None
    lengths, directions = torch.linalg.eigh(q.covariance())
    rest = 0.5 * lengths[:, :1]
    mixing = directions * (lengths - rest).sqrt().unsqueeze(1)
    back = mixing / lengths.unsqueeze(1)
    zeros = torch.zeros_like(q.mean)
    forth = torch.cat([mixing.mT, zeros.unsqueeze(1)], dim=1)
    offset = -torch.einsum("bi,bij->bj", q.mean, back).unsqueeze(1)
    layers = [
        linear_layers(forth, zeros, hidden, generator),
        linear_layers(torch.cat([back, offset], dim=1), (rest / lengths).log(), hidden, generator),
    ]
    carry, reverse = (ImageNetworks(made, images) for made in layers)
    sizes = (dims, hidden, hidden, 2 * dims)
    given = [
        carry if nth == 1 else ImageNetworks(fresh_layers(sizes, zeros, generator), images)
        for nth in range(2 * steps)
    ]
    spread = rest.log().expand_as(zeros)
    base = DiagonalGaussian(torch.cat([q.mean, zeros], dim=1), torch.cat([spread, zeros], dim=1))
    return LocalCouplings(base, given, reverse)


def local_flow(
    start: FullGaussian, generator: torch.Generator, steps: int = 2, hidden: int = 50
) -> LocalCouplings:
    """The local flow of Cremer et al. 2018, which starts as a Gaussian.

    It works in the units of that Gaussian, whose correlations it so need not learn. They must
    come from there: where couplings and reverse model ignore each other neither gains by
    changing alone, and Adam, whose noise is larger than the little that both gain together, does
    not leave the best diagonal Gaussian in thousands of steps.

    Args:
        start: q(z|x) of B images, best where optimised.
        generator: of the networks; all images start from the same ones.
        steps: couplings of either kind.
        hidden: units of the networks' two hidden layers.
    """
    images, dims = start.mean.shape
    sizes = (dims, hidden, hidden, 2 * dims)
    networks = [
        ImageNetworks(fresh_layers(sizes, start.mean, generator), images)
        for _ in range(2 * steps + 1)
    ]
    zeros = start.mean.new_zeros(images, 2 * dims)
    frame = FullGaussian(start.mean.detach(), start.scale_tril.detach())
    return LocalCouplings(DiagonalGaussian(zeros, zeros), networks[:-1], networks[-1], frame)


def _bounded(network: nn.Module, most: float, z: Tensor) -> tuple[Tensor, Tensor]:
    shift, raw = network(z)
    return shift, bounded_log_scale(raw, most)
