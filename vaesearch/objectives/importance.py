"""Several samples of z per image, and how much each of them weighs.

The log-weight of z ~ q(z|x) is log p(x|z) + log p(z) - log q(z|x). The log of the mean of K
weights is, in expectation, a bound on log p(x) that is the tighter the larger K (Burda et al.
2016). With an auxiliary variable the last term is that of
:meth:`~vaesearch.models.latents.Posterior.rsample_and_log_prob`, and the bound is one all the
same.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaesearch.models.latents import Posterior, Prior
from vaesearch.models.vae import VAE
from vaesearch.objectives.annealing import Weights
from vaesearch.objectives.terms import Terms


@dataclass(frozen=True)
class Draws:
    """K samples of z for each of B images, decoded.

    Attributes:
        z: the samples, ``[K, B, D]``.
        log_q: log q(z|x), ``[K, B]``.
        log_prior: log p(z), ``[K, B]``.
        log_likelihood: log p(x|z), ``[K, B]``.
        posterior: q(z|x) of the B images.
        prior: p(z).
    """

    z: Tensor
    log_q: Tensor
    log_prior: Tensor
    log_likelihood: Tensor
    posterior: Posterior
    prior: Prior

    def log_weights(self, weights: Weights | None = None) -> Tensor:
        """Log-weights in nats, ``[K, B]``.

        With weights of terms, such as beta, they are
        log p(x|z) - regularizer * (entropy * log q(z|x) - log p(z)).
        """
        weights = weights or Weights()
        divergence = weights.entropy * self.log_q - self.log_prior
        return self.log_likelihood - weights.regularizer * divergence

    def first(self, model: VAE) -> Terms:
        """The terms of the first sample of each image, which is decoded once more."""
        return Terms(
            self.log_likelihood[0],
            self.log_q[0] - self.log_prior[0],
            self.posterior,
            self.prior,
            self.z[0],
            self.log_q[0],
            model.decode(self.z[0]),
        )


def draw(model: VAE, x: Tensor, generator: torch.Generator | None, samples: int) -> Draws:
    """Draw and decode ``samples`` latents for each image ``[B, C, H, W]`` in [0, 1]."""
    posterior = model.encode(x)
    z, log_q = posterior.rsample_and_log_prob(generator, samples)
    return decode_all(model, x, posterior, z, log_q)


def decode_all(
    model: VAE,
    x: Tensor,
    posterior: Posterior,
    z: Tensor,
    log_q: Tensor,
    *,
    as_mass: bool = False,
) -> Draws:
    """Decode the samples ``[K, B, D]`` of ``posterior`` in one batch.

    A likelihood whose scale is fitted to the batch is fitted to all samples alike, not by weight.
    With ``as_mass`` log p(x|z) is the log-probability of the pixel levels.
    """
    prior = model.latent_prior()
    repeated = x.repeat(len(z), 1, 1, 1)
    pixels = model.decode(z.flatten(0, 1), fit_to=repeated)
    score = pixels.log_mass if as_mass else pixels.log_prob
    log_likelihood = score(repeated).view_as(log_q)
    return Draws(z, log_q, prior.log_prob(z), log_likelihood, posterior, prior)


def log_weights(model: VAE, x: Tensor, generator: torch.Generator | None, samples: int) -> Tensor:
    """Log p(x, z) - log q(z|x) of ``samples`` latents for each image, in nats, ``[K, B]``."""
    return draw(model, x, generator, samples).log_weights()


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """Log of the mean over the first dimension: of ``[K, B]`` nats, ``[B]``.

    With one sample it is that sample's value, bit by bit.
    """
    if len(log_weights) == 1:
        return log_weights[0]
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))
