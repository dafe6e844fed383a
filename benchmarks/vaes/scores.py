"""One score for all: bounds of any trained VAE whose samples and densities can be had."""

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from vaesearch.models.vae import VAE

BATCH = 50


class Densities(Protocol):
    """What the scores ask of a model of binary pixels."""

    is_stochastic: bool

    def logits(self, z: Tensor) -> Tensor:
        """Of the pixels ``[B, 1, H, W]``, of latents ``[B, D]``."""
        ...

    def code(self, x: Tensor) -> Tensor:
        """What images are encoded to, ``[B, D]``."""
        ...

    def propose(self, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Samples ``[count, B, D]`` of q(z|x), and its log-density at them ``[count, B]``."""
        ...

    def log_prior(self, z: Tensor) -> Tensor:
        """Log p(z) ``[count, B]``."""
        ...


class OurDensities:
    """Samples and log-densities of a trained model of ours."""

    is_stochastic = True

    def __init__(self, model: VAE, seed: int) -> None:
        self._model = model.eval()
        self._generator = torch.Generator().manual_seed(seed)

    def logits(self, z: Tensor) -> Tensor:
        """Of the pixels ``[B, 1, H, W]``."""
        logits: Tensor = self._model.decoder(z)
        return logits

    def code(self, x: Tensor) -> Tensor:
        """A sample for each image, ``[B, D]``."""
        return self._model.encode(x).rsample(self._generator)

    def propose(self, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Samples ``[count, B, D]`` and their log-density ``[count, B]``."""
        return self._model.encode(x).rsample_and_log_prob(self._generator, count)

    def log_prior(self, z: Tensor) -> Tensor:
        """Log p(z) ``[count, B]``."""
        return self._model.latent_prior().log_prob(z)


@torch.no_grad()
def score_bounds(model: Densities, images: Tensor, samples: int) -> dict[str, float]:
    """Mean figures in nats per image, of uint8 ``[N, 1, H, W]`` that are 0 or 255.

    Returns:
        ``elbo`` and ``iwae`` (Burda et al. 2016), both of the same ``samples`` per image, and the
        parts of the former: ``reconstruction`` and ``kl``.
    """
    sums = dict.fromkeys(("elbo", "iwae", "reconstruction", "kl"), 0.0)
    for start in range(0, len(images), BATCH):
        x = images[start : start + BATCH].float() / 255
        z, log_q = model.propose(x, samples)
        kl = log_q - model.log_prior(z)
        likelihood = _log_likelihood(model.logits(z.flatten(0, 1)), x, samples)
        weights = likelihood - kl
        sums["elbo"] += float(weights.mean(dim=0).sum())
        sums["iwae"] += float((torch.logsumexp(weights, 0) - math.log(samples)).sum())
        sums["reconstruction"] += float(likelihood.mean(dim=0).sum())
        sums["kl"] += float(kl.mean(dim=0).sum())
    return {name: total / len(images) for name, total in sums.items()}


def _log_likelihood(logits: Tensor, x: Tensor, samples: int) -> Tensor:
    """Of binary pixels, ``[samples, B]``; from logits, so that certainty costs no precision."""
    pixels = x.flatten(1).expand(samples, -1, -1)
    logits = logits.reshape(pixels.shape)
    return -F.binary_cross_entropy_with_logits(logits, pixels, reduction="none").sum(dim=-1)


@torch.no_grad()
def score_codes(model: Densities, images: Tensor) -> dict[str, float]:
    """How well codes are decoded and how near they are to the prior, without a bound.

    Returns:
        ``squares``: squared error of the decoded codes, summed over pixels, per image;
        ``mmd``: unbiased squared maximum mean discrepancy between the codes and as many draws of
        N(0, I), by the kernel C / (C + distance^2) with C = 2 D; ``kl``: KL(N(m, S) || N(0, I))
        in nats with the mean and covariance of the codes.
    """
    x = images.float() / 255
    codes = model.code(x)
    squares = (torch.sigmoid(model.logits(codes)) - x).square().flatten(1).sum(dim=1)
    draws = torch.randn(codes.shape, generator=torch.Generator().manual_seed(0))
    figures = {"squares": float(squares.mean()), "mmd": float(_mmd(codes, draws))}
    return figures | {"kl": float(_gaussian_kl(codes.double()))}


def _mmd(a: Tensor, b: Tensor) -> Tensor:
    count, size = a.shape
    scale = 2.0 * size

    def kernel(p: Tensor, q: Tensor) -> Tensor:
        return scale / (scale + torch.cdist(p, q).square())

    within = [(kernel(p, p).sum() - count) / (count * (count - 1)) for p in (a, b)]
    return within[0] + within[1] - 2 * kernel(a, b).mean()


def _gaussian_kl(codes: Tensor) -> Tensor:
    mean, covariance = codes.mean(dim=0), torch.cov(codes.T)
    size = codes.shape[1]
    return 0.5 * (covariance.trace() + mean @ mean - size - torch.logdet(covariance))
