"""The terms of a bound, in nats per image.

The evidence lower bound of Kingma & Welling 2014 is L = E_q[log p(x|z)] - KL(q(z|x) || p(z)).
The consistency term of Liu, Lin & Clark 2020 is KL(z'||z) between the encoding z' of the
reconstruction and the encoding z of the image; gradients go through both encodings, since
stopping them at z makes training diverge.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.models.latents import GaussianPosterior, Posterior, Prior, kl_divergence
from vaesearch.models.pixels import PixelDistribution
from vaesearch.models.priors import StandardNormal
from vaesearch.models.vae import VAE


@dataclass(frozen=True)
class Terms:
    """What one sample of z per image gives.

    Attributes:
        log_likelihood: log p(x|z), ``[B]``.
        kl: KL(q(z|x) || p(z)), ``[B]``: in closed form where there is one, else
            log q(z|x) - log p(z) at the sample.
        posterior: q(z|x).
        prior: p(z).
        z: the sample, ``[B, D]``.
        log_q: log q(z|x) at the sample, ``[B]``; None where ``kl`` is in closed form.
        pixels: p(x|z).
    """

    log_likelihood: Tensor
    kl: Tensor
    posterior: Posterior
    prior: Prior
    z: Tensor
    log_q: Tensor | None
    pixels: PixelDistribution

    @property
    def elbo(self) -> Tensor:
        """The bound, ``[B]``."""
        return self.log_likelihood - self.kl

    @property
    def negative_entropy(self) -> Tensor:
        """E_q[log q(z|x)], ``[B]``: in closed form or at the sample, as ``kl`` is."""
        if self.log_q is not None:
            return self.log_q
        if isinstance(self.posterior, GaussianPosterior):
            return -self.posterior.entropy()
        raise TypeError(f"{type(self.posterior).__name__} has no entropy in closed form")


def elbo_terms(model: VAE, x: Tensor, generator: torch.Generator | None) -> Terms:
    """Terms of the bound for images ``[B, C, H, W]`` in [0, 1]."""
    posterior, prior = model.encode(x), model.latent_prior()
    z, kl, log_q = _divergence(posterior, prior, generator)
    pixels = model.decode(z, fit_to=x)
    return Terms(pixels.log_prob(x), kl, posterior, prior, z, log_q, pixels)


def _divergence(
    posterior: Posterior, prior: Prior, generator: torch.Generator | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """A sample ``[B, D]``, the KL ``[B]``, and log q if that had to be estimated from it."""
    if isinstance(prior, StandardNormal) and isinstance(posterior, GaussianPosterior):
        return posterior.rsample(generator), posterior.kl_to_standard(), None
    z, log_q = posterior.rsample_and_log_prob(generator)
    return z, log_q - prior.log_prob(z), log_q


def consistency(model: VAE, terms: Terms, generator: torch.Generator | None = None) -> Tensor:
    """KL(q(z|x') || q(z|x)) with x' the reconstruction from the sampled z, ``[B]``.

    In closed form for Gaussians; else estimated from one sample, whose noise is ``generator``'s.
    """
    made = model.encode_made(terms.pixels.mean)
    return kl_divergence(made, terms.posterior, generator)
