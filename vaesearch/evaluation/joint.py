"""The joint density of an image and its latents: what inference is measured against."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from vaesearch.evaluation.chunks import with_enough_memory
from vaesearch.evaluation.products import fast_products
from vaesearch.models.latents import Prior
from vaesearch.models.vae import VAE

MANY = 64  # samples of an image that are worth chunks of it alone, however large chunks may be

Function = Callable[[Tensor, Tensor], tuple[Tensor, ...]]  # of latents and the images they are of


@runtime_checkable
class ManyForecasts(Protocol):
    """Pixels that have a fast way to the mass of one picture under many forecasts."""

    def log_mass_of(self, x: Tensor) -> Tensor:
        """Log-probability of the levels ``[C, H, W]`` under each of B forecasts, ``[B]``."""
        ...


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
        chunk: pictures decoded at once, wherever no graph is asked for; all by default. It
            changes rounding errors only, and is halved for good where memory is too short.
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

    def log_prior(self, z: Tensor, prior: Prior | None = None) -> Tensor:
        """Log p(z) in nats ``[..., B]`` of latents ``[..., B, D]``; of another prior if given."""
        log_prob = (self.prior if prior is None else prior).log_prob
        if z.requires_grad and torch.is_grad_enabled():
            return log_prob(z)
        # Mixtures take as many times the memory of z as they have components.
        (values,) = self._in_chunks(lambda part, _: (log_prob(part),), z)
        return values

    def log_likelihood(self, z: Tensor) -> Tensor:
        """Log p(x|z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        if z.requires_grad and torch.is_grad_enabled():
            return self._score(z.view(-1, *z.shape[-2:]), self.x).view(z.shape[:-1])
        # Decided by the number of samples, not by the chunk, which must change no figure.
        alone = z.device.type == "cpu" and z.shape[:-2].numel() >= MANY
        score = partial(self._score, alone=alone)
        (values,) = self._in_chunks(lambda part, x: (score(part, x),), z, alone=alone)
        return values

    def __call__(self, z: Tensor) -> Tensor:
        """Log p(x, z) in nats ``[..., B]`` of latents ``[..., B, D]``."""
        return self.log_prior(z) + self.log_likelihood(z)

    def point(self, z: Tensor) -> Point:
        """The terms at ``z`` and their slopes; nothing of it has a graph."""
        return Point(z, *self._in_chunks(self._terms_and_slopes, z.detach()))

    def _terms_and_slopes(self, z: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        with torch.enable_grad():
            at = z.detach().requires_grad_()
            log_prior, log_likelihood = self.log_prior(at), self._score(at, x)
            (prior_slope,) = torch.autograd.grad(log_prior.sum(), at)
            (likelihood_slope,) = torch.autograd.grad(log_likelihood.sum(), at)
        return log_prior.detach(), log_likelihood.detach(), prior_slope, likelihood_slope

    def _score(self, z: Tensor, x: Tensor, *, alone: bool = False) -> Tensor:
        """Log p(x|z) ``[K, B]`` of latents ``[K, B, D]`` of images ``[B, C, H, W]``.

        With ``alone`` there is one image, and no gradient is asked for.
        """
        with fast_products():
            pixels = self.model.decode(z.flatten(0, 1))
        if alone and (self.as_mass or pixels.is_mass) and isinstance(pixels, ManyForecasts):
            return pixels.log_mass_of(x[0]).view(z.shape[:-1])
        repeated = x.expand(len(z), *x.shape).flatten(0, 1)  # a view where there is one image
        scored = pixels.log_mass(repeated) if self.as_mass else pixels.log_prob(repeated)
        return scored.view(z.shape[:-1])

    def _in_chunks(
        self, function: Function, z: Tensor, *, alone: bool = False
    ) -> tuple[Tensor, ...]:
        """What ``function`` gives for all latents ``[..., B, D]``, put together again.

        With ``alone`` no two images are in one chunk.
        """
        flat = z.reshape(-1, *z.shape[-2:])
        pictures = flat.shape[0] * flat.shape[1]
        results, chunk = with_enough_memory(
            lambda chunk: self._all_tiles(function, flat, chunk, alone=alone),
            pictures if self.chunk is None else min(self.chunk, pictures),
        )
        if chunk < pictures:
            self.chunk = chunk
        return tuple(result.view(*z.shape[:-2], *result.shape[1:]) for result in results)

    def _all_tiles(
        self, function: Function, z: Tensor, chunk: int, *, alone: bool
    ) -> Sequence[Tensor]:
        samples, images = z.shape[:2]
        tiles = list(_tiles(samples, images, min(chunk, samples) if alone else chunk))
        if len(tiles) == 1:
            return function(z, self.x)
        results: list[Tensor] = []
        for rows, columns in tiles:
            found = function(z[rows, columns], self.x[columns])
            if not results:
                results = [part.new_empty((*z.shape[:2], *part.shape[2:])) for part in found]
            for result, part in zip(results, found, strict=True):
                result[rows, columns] = part
        return results


def _tiles(samples: int, images: int, chunk: int) -> Iterator[tuple[slice, slice]]:
    """Parts of ``[samples, images]`` of at most ``chunk``: of few images with many samples each.

    So an image need not be copied for each of its samples.
    """
    height = min(samples, chunk)
    width = max(1, chunk // samples)
    for image in range(0, images, width):
        for sample in range(0, samples, height):
            yield slice(sample, sample + height), slice(image, image + width)
