"""Distributions of latents: posteriors q(z|x) and priors p(z).

Traits of a posterior: ``gaussian`` (its divergences have closed forms), ``diagonal`` (so has each
latent's own), ``density`` (its density can be had at any z), ``steps`` (a flow of so many),
``ladder``. Of a prior: ``standard`` (training sees N(0, I)), ``needs-density`` (of the posterior),
``fitted`` (a mixture fitted to the codes of images), ``pictures`` (made of pictures that start as
images), ``ladder``.
"""

from vaesearch.catalogue.entry import Entry

MODELS = "vaesearch.models"
LADDER_LEVELS = 3

POSTERIORS = (
    Entry(
        "gaussian",
        f"{MODELS}.posteriors:DiagonalGaussianPosterior",
        "diagonal Gaussian",
        "Kingma & Welling 2014",
        traits=frozenset({"gaussian", "diagonal", "density"}),
    ),
    Entry(
        "full-covariance",
        f"{MODELS}.posteriors.full_covariance:FullCovariancePosterior",
        "Gaussian with correlated latents",
        "Kingma & Welling 2019",
        traits=frozenset({"gaussian", "density"}),
    ),
    Entry(
        "planar",
        f"{MODELS}.posteriors.planar:PlanarPosterior",
        "planar flow of so many steps, as in planar:8",
        "Rezende & Mohamed 2015",
        traits=frozenset({"density", "steps"}),
    ),
    Entry(
        "radial",
        f"{MODELS}.posteriors.radial:RadialPosterior",
        "radial flow of so many steps, as in radial:8",
        "Rezende & Mohamed 2015",
        traits=frozenset({"density", "steps"}),
    ),
    Entry(
        "iaf",
        f"{MODELS}.posteriors.iaf:IAFPosterior",
        "inverse autoregressive flow, as in iaf:4 or iaf:4,context=0",
        "Kingma et al. 2016",
        traits=frozenset({"density", "steps"}),
    ),
    Entry(
        "realnvp",
        f"{MODELS}.posteriors.realnvp:RealNVPPosterior",
        "couplings with an auxiliary variable, as in realnvp:4 or realnvp:steps=4,hidden=64",
        "Cremer et al. 2018",
        traits=frozenset({"steps"}),
    ),
    Entry(
        "ladder",
        f"{MODELS}.ladder:LadderPosterior",
        "2 to 4 groups of z, each given those above, as in ladder:3; with --prior ladder:3",
        "Sønderby et al. 2016",
        traits=frozenset({"density", "ladder"}),
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
    Entry(
        "gmm",
        f"{MODELS}.priors:FittedMixturePrior",
        "N(0, I) in training, then so many Gaussians fitted to codes of images, as in gmm:32",
        "Lin et al. 2019",
        traits=frozenset({"standard", "fitted"}),
    ),
    Entry(
        "vampprior",
        f"{MODELS}.priors:VampPrior",
        "mean of q(z|u) over so many learned pictures u, as in vampprior:100",
        "Tomczak & Welling 2018",
        traits=frozenset({"needs-density", "pictures"}),
    ),
    Entry(
        "ladder",
        f"{MODELS}.ladder:LadderPrior",
        "2 to 4 groups of z, each a learned Gaussian given those above, as in ladder:3",
        "Sønderby et al. 2016",
        traits=frozenset({"ladder"}),
    ),
)
