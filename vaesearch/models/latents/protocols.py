"""What a posterior and a prior are asked for."""

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class Posterior(Protocol):
    """q(z|x) for B images."""

    @property
    def mean(self) -> Tensor:
        """The code that an image is reconstructed from, ``[B, D]``."""
        ...

    def rsample(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> Tensor:
        """A reparameterised sample ``[B, D]``, or ``count`` of them ``[count, B, D]``."""
        ...

    def rsample_and_log_prob(
        self, generator: torch.Generator | None = None, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """A sample as of :meth:`rsample`, and log q(z|x) of it, ``[B]`` or ``[count, B]``.

        With an auxiliary variable v the latter is log q(z, v|x) - log r(v|x, z), whose mean is
        an upper bound on that of log q(z|x).
        """
        ...

    def log_prob(self, z: Tensor) -> Tensor:
        """Log q(z|x) ``[..., B]`` at any z ``[..., B, D]``; needs the trait ``density``."""
        ...


@runtime_checkable
class GaussianPosterior(Protocol):
    """What a Gaussian has beside a posterior's: closed forms; the trait ``gaussian``."""

    if TYPE_CHECKING:
        # At run time asking whether a flow is one would compute the flow's mean (Python 3.11).
        @property
        def mean(self) -> Tensor:
            """The mean, ``[B, D]``."""
            ...

    def kl_to_standard(self) -> Tensor:
        """KL(q || N(0, I)) in nats, ``[B]``."""
        ...

    def entropy(self) -> Tensor:
        """Differential entropy in nats, ``[B]``."""
        ...

    def covariance(self) -> Tensor:
        """Covariance matrices, ``[B, D, D]``."""
        ...


class Prior(Protocol):
    """p(z)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """Log p(z) ``[...]`` of latents ``[..., D]``."""
        ...

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` latents ``[count, D]``."""
        ...
