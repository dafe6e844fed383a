"""Distributions over latents, with log-densities in nats.

A posterior q(z|x) is one distribution for each of B images; a prior p(z) is one for all. A latent
is ``[..., B, D]`` for a posterior and ``[..., D]`` for a prior: leading dimensions broadcast, so
several samples per image cost no copy of the parameters.
"""

from vaesearch.models.latents.auxiliary import AuxiliaryFlow
from vaesearch.models.latents.diagonal import DiagonalGaussian
from vaesearch.models.latents.divergence import has_density, kl_divergence
from vaesearch.models.latents.flow import Flow, Step
from vaesearch.models.latents.full import FullGaussian
from vaesearch.models.latents.protocols import LOG_2PI, GaussianPosterior, Posterior, Prior

__all__ = [
    "LOG_2PI", "AuxiliaryFlow", "DiagonalGaussian", "Flow", "FullGaussian", "GaussianPosterior",
    "Posterior", "Prior", "Step", "has_density", "kl_divergence",
]  # fmt: skip
