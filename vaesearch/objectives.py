"""What training maximises, as terms in nats per image.

The evidence lower bound of Kingma & Welling 2014, L = E_q[log p(x|z)] - KL(q(z|x) || p(z)), and
the consistency term of Liu, Lin & Clark 2020: KL(z'||z) between the encoding z' of the
reconstruction and the encoding z of the image. The loss is -L + alpha KL(z'||z); gradients go
through both encodings, since stopping them at z makes training diverge.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.models.distributions import DiagonalGaussian, PixelDistribution
from vaesearch.models.vae import VAE


@dataclass(frozen=True)
class Terms:
    """One sample's worth of the objective.

    Attributes:
        log_likelihood: log p(x|z) at one z from q, ``[B]``.
        kl: KL(q(z|x) || p(z)), ``[B]``.
        posterior: q(z|x).
        pixels: p(x|z).
    """

    log_likelihood: Tensor
    kl: Tensor
    posterior: DiagonalGaussian
    pixels: PixelDistribution

    @property
    def elbo(self) -> Tensor:
        """The bound, ``[B]``."""
        return self.log_likelihood - self.kl


def elbo_terms(model: VAE, x: Tensor, generator: torch.Generator) -> Terms:
    """Terms of the bound for images ``[B, C, H, W]`` in [0, 1]."""
    posterior = model.encode(x)
    z = posterior.rsample(generator)
    pixels = model.decode(z, fit_to=x)
    return Terms(pixels.log_prob(x), posterior.kl_to_standard(), posterior, pixels)


def consistency(model: VAE, terms: Terms) -> Tensor:
    """KL(q(z|x') || q(z|x)) with x' the reconstruction from the sampled z, ``[B]``.

    Reconstructions are encoded as in evaluation, normalised by the running statistics of images:
    batch normalisation would else hide what sets them apart from images, and average over both.
    """
    was_training = model.encoder.training
    model.encoder.eval()
    try:
        return model.encode(terms.pixels.mean).kl_to(terms.posterior)
    finally:
        model.encoder.train(was_training)


def loss(model: VAE, x: Tensor, generator: torch.Generator, alpha: float = 0.0) -> Tensor:
    """Mean over the batch of -L + alpha KL(z'||z) in nats; alpha 0 is the plain VAE bit by bit."""
    terms = elbo_terms(model, x, generator)
    objective = terms.elbo if alpha == 0 else terms.elbo - alpha * consistency(model, terms)
    return -objective.mean()
