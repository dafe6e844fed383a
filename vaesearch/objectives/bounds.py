"""Bounds on log p(x), with the regulariser in place of their KL term."""

from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from vaesearch.models.vae import VAE
from vaesearch.objectives.annealing import Weights
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
    ) -> tuple[Tensor, Terms]:
        """Cost in nats ``[B]`` of images ``[B, C, H, W]`` in [0, 1], and one sample's terms."""
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
    ) -> tuple[Tensor, Terms]:
        """Cost in nats ``[B]`` of images ``[B, C, H, W]`` in [0, 1], and the terms."""
        terms = elbo_terms(model, x, generator)
        if weights.entropy != 1:
            less = (weights.entropy - 1) * terms.negative_entropy
            terms = replace(terms, kl=terms.kl + less)
        cost = weights.regularizer * regularizer(terms, generator)
        return cost - terms.log_likelihood, terms
