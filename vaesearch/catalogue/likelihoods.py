"""Distributions of pixels p(x|z).

Traits: ``binary`` (for pixels that are 0 or 1), ``relaxed`` (no probability of 8-bit pixels). The
others are for 8-bit pixels and can be scored as a mass on their levels.
"""

from vaesearch.catalogue.entry import REPORT, Entry

MODELS = "vaesearch.models"

LIKELIHOODS = (
    Entry(
        "discretized-normal",
        f"{MODELS}.likelihoods:DiscretizedNormalLikelihood",
        "normal integrated over each 8-bit level, one learned scale: a probability mass",
        "Kingma et al. 2016",
    ),
    Entry(
        "gaussian",
        f"{MODELS}.likelihoods:GaussianLikelihood",
        "normal density; variance 'optimal' (closed form, default), 'learned' or a number",
        "Lin et al. 2019; Rybkin et al. 2021",
    ),
    Entry(
        "bernoulli",
        f"{MODELS}.likelihoods:BernoulliLikelihood",
        "for --pixels binary",
        "Kingma & Welling 2014",
        traits=frozenset({"binary"}),
    ),
    Entry(
        "relaxed-bernoulli",
        f"{MODELS}.likelihoods:BernoulliLikelihood",
        "cross-entropy on 8-bit pixels: no probability of them, so no bits/dim",
        REPORT,
        traits=frozenset({"relaxed"}),
    ),
)
