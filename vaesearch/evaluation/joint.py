"""The joint density of an image and its latents: what inference is measured against."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.models.latents import Prior
from vaesearch.models.vae import VAE


@dataclass(frozen=True)
class Point:
    """Latents ``[..., B, D]`` with the two terms of log p(x, z) there, and their slopes.

    Attributes:
        z: the latents.
        log_prior: log p(z) in nats, ``[..., B]``.
        log_likelihood: log p(x|z) in nats, ``[..., B]``.
        prior_slope: gradient of ``log_prior`` in z, of the shape of ``z``.
        likelihood_slope: gradient of ``log_likelihood`` in z, of the shape of ``z``.
    """

    z: Tensor
    log_prior: Tensor
    log_likelihood: Tensor
    prior_slope: Tensor
    likelihood_slope: Tensor

    def log_density(self, temperature: float) -> Tensor:
        """Log p(z) + temperature * log p(x|z), ``[..., B]``."""
        return self.log_prior + temperature * self.log_likelihood

    def slope(self, temperature: float) -> Tensor:
        """Gradient of :meth:`log_density` in z."""
        return torch.add(self.prior_slope, self.likelihood_slope, alpha=temperature)


class Joint:
    """log p(x, z) = log p(z) + log p(x|z) of B images, with gradients in z.

    Args:
        model: in evaluation mode; its parameters want no gradient.
        x: images ``[B, C, H, W]`` in [0, 1].
        as_mass: score pixels by the probability of their levels instead of as training does.
        prior: in place of the model's.
        chunk: pictures decoded at once by :meth:`log_likelihood` without gradients and by
            :meth:`point`; all by default. It changes rounding errors only.
    """

    def __init__(
        self,
        model: VAE,
        x: Tensor,
        *,
        as_mass: bool = False,
        prior: Prior | None = None,
        chunk: int | None = None,
    ) -> None:
        self.model = model
        self.x = x
        self.as_mass = as_mass
        self.prior = prior if prior is not None else model.latent_prior()
        self.chunk = chunk

    def log_prior(self, z: Tensor) -> Tensor:
        """Log p(z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        return self.prior.log_prob(z)

    def log_likelihood(self, z: Tensor) -> Tensor:
        """Log p(x|z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        repeated = self.x.expand(*z.shape[:-2], *self.x.shape).flatten(0, -4)
        pixels = self.model.decode(z.flatten(0, -2))
        scored = pixels.log_mass(repeated) if self.as_mass else pixels.log_prob(repeated)
        return scored.view(z.shape[:-1])

    def __call__(self, z: Tensor) -> Tensor:
        """Log p(x, z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        return self.log_prior(z) + self.log_likelihood(z)

    def point(self, z: Tensor) -> Point:
        """The terms at ``z`` and their slopes; nothing of it has a graph."""
        with torch.enable_grad():
            at = z.detach().requires_grad_()
            log_prior, prior_slope = _with_slope(self.log_prior, at)
            log_likelihood, likelihood_slope = _with_slope(self.log_likelihood, at)
        return Point(z, log_prior, log_likelihood, prior_slope, likelihood_slope)


def _with_slope(function: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    value = function(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope
