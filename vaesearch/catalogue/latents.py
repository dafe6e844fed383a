"""Distributions of latents: posteriors q(z|x) and priors p(z).

Traits of a posterior: ``gaussian`` (its divergences have closed forms), ``diagonal`` (so has each
latent's own), ``density`` (its density can be had at any z). Of a prior: ``standard`` (training
sees N(0, I)).
"""

from vaesearch.catalogue.entry import Entry

MODELS = "vaesearch.models"

POSTERIORS = (
    Entry(
        "gaussian",
        f"{MODELS}.posteriors:DiagonalGaussianPosterior",
        "diagonal Gaussian",
        "Kingma & Welling 2014",
        traits=frozenset({"gaussian", "diagonal", "density"}),
    ),
)
PRIORS = (
    Entry(
        "standard",
        f"{MODELS}.priors:StandardNormalPrior",
        "N(0, I)",
        "Kingma & Welling 2014",
        traits=frozenset({"standard"}),
    ),
)
