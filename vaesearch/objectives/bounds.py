"""Bounds on log p(x), with the regulariser in place of their KL term."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.models.latents import Posterior
from vaesearch.models.vae import VAE
from vaesearch.objectives.annealing import Weights
from vaesearch.objectives.importance import decode_all, draw, log_mean_exp
from vaesearch.objectives.regularizers import Regularizer
from vaesearch.objectives.terms import Terms, elbo_terms


class Bound(Protocol):
    """What is minimised, before the consistency term."""

    def __call__(
        self,
        model: VAE,
        x: Tensor,
        generator: torch.Generator | None,
        regularizer: Regularizer,
        weights: Weights,
    ) -> tuple[Tensor, Callable[[], Terms]]:
        """Cost in nats ``[B]`` of images ``[B, C, H, W]`` in [0, 1], and one sample's terms.

        The terms are a call away, since not every objective has them at hand.
        """
        ...


class ELBO:
    """The evidence lower bound, with one sample of z (Kingma & Welling 2014)."""

    def __call__(
        self,
        model: VAE,
        x: Tensor,
        generator: torch.Generator | None,
        regularizer: Regularizer,
        weights: Weights,
    ) -> tuple[Tensor, Callable[[], Terms]]:
        """Cost in nats ``[B]`` of images ``[B, C, H, W]`` in [0, 1], and the terms."""
        terms = elbo_terms(model, x, generator)
        if weights.entropy != 1:
            less = (weights.entropy - 1) * terms.negative_entropy
            terms = replace(terms, kl=terms.kl + less)
        cost = weights.regularizer * regularizer(terms, generator)
        return cost - terms.log_likelihood, lambda: terms


class IWAE:
    """The importance-weighted bound, with K samples of z per image (Burda et al. 2016).

    It is log(1/K sum_k w_k) with the weights of :meth:`Draws.log_weights`: --beta and annealing
    weigh the terms inside of each w_k. One sample makes it the ELBO with a KL from that sample.

    Args:
        samples: K. Images are encoded once; all their samples are decoded in one batch.

    Raises:
        InputError: ``samples`` is no whole number, or below 1.
    """

    def __init__(self, samples: int = 5) -> None:
        self.samples = whole("the samples of iwae and dreg", samples)

    def __call__(
        self,
        model: VAE,
        x: Tensor,
        generator: torch.Generator | None,
        regularizer: Regularizer,
        weights: Weights,
    ) -> tuple[Tensor, Callable[[], Terms]]:
        """Cost in nats ``[B]`` of images ``[B, C, H, W]`` in [0, 1]; the first sample's terms."""
        draws = draw(model, x, generator, self.samples)
        return -log_mean_exp(draws.log_weights(weights)), partial(draws.first, model)


class DReG(IWAE):
    """The same bound with the doubly reparameterised gradient (Tucker et al. 2019).

    The encoder's gradient in IWAE holds score terms of mean zero, whose noise drowns the signal as
    K grows. Here q's parameters are held fixed in log q(z|x), and the gradient that reaches
    z_k is multiplied by its normalised weight v_k once more. Where the weights of the terms make
    the factor of log q(z|x) c and not 1, what is left of the score terms makes that 1 - c + c v_k.
    The decoder's and the prior's gradients are those of IWAE.

    Args:
        samples: K, as for IWAE.

    Raises:
        InputError: ``samples`` is no whole number, or below 1.
    """

    def __call__(
        self,
        model: VAE,
        x: Tensor,
        generator: torch.Generator | None,
        regularizer: Regularizer,
        weights: Weights,
    ) -> tuple[Tensor, Callable[[], Terms]]:
        """Cost in nats ``[B]`` of images ``[B, C, H, W]`` in [0, 1]; the first sample's terms."""
        posterior = model.encode(x)
        drawn = posterior.rsample(generator, self.samples)
        z = drawn.clone()  # what the hook below does to the bound is no other term's business
        draws = decode_all(model, x, posterior, z, _log_prob_of_sample(posterior, z))
        log_weights = draws.log_weights(weights)
        bound = log_mean_exp(log_weights)
        normalized = torch.softmax(log_weights.detach(), dim=0)
        if z.requires_grad:
            factor = weights.regularizer * weights.entropy
            scale = (1 - factor + factor * normalized).unsqueeze(-1)
            z.register_hook(lambda gradient: gradient * scale)  # type: ignore[no-untyped-call]
        surrogate = (normalized * log_weights).sum(dim=0)
        cost = -(bound.detach() + surrogate - surrogate.detach())
        return cost, partial(replace(draws, z=drawn).first, model)


def _log_prob_of_sample(posterior: Posterior, z: Tensor) -> Tensor:
    """Log q(z|x) ``[K, B]`` whose gradient goes into z only, and not into q's parameters."""
    score = posterior.log_prob(z.detach())
    return posterior.log_prob(z) - (score - score.detach())
