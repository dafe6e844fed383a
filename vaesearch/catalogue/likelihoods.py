"""Distributions of pixels p(x|z).

Traits: ``binary`` (for pixels that are 0 or 1), ``relaxed`` (no probability of 8-bit pixels). The
others are for 8-bit pixels and can be scored as a mass on their levels.
"""

from vaesearch.catalogue.entry import REPORT, Entry

LIKELIHOODS_MODULE = "vaesearch.models.likelihoods"

LIKELIHOODS = (
    Entry(
        "discretized-normal",
        f"{LIKELIHOODS_MODULE}:DiscretizedNormalLikelihood",
        "normal integrated over each 8-bit level, one learned scale or ':pixel': a mass",
        "Kingma et al. 2016",
    ),
    Entry(
        "gaussian",
        f"{LIKELIHOODS_MODULE}:gaussian",
        "normal density; variance 'optimal' (default), 'learned', a number, or 'pixel' in stages",
        "Lin et al. 2019; Rybkin et al. 2021",
    ),
    Entry(
        "bernoulli",
        f"{LIKELIHOODS_MODULE}:BernoulliLikelihood",
        "for --pixels binary",
        "Kingma & Welling 2014",
        traits=frozenset({"binary"}),
    ),
    Entry(
        "relaxed-bernoulli",
        f"{LIKELIHOODS_MODULE}:BernoulliLikelihood",
        "cross-entropy on 8-bit pixels: no probability of them, so no bits/dim",
        REPORT,
        traits=frozenset({"relaxed"}),
    ),
    Entry(
        "continuous-bernoulli",
        f"{LIKELIHOODS_MODULE}:ContinuousBernoulliLikelihood",
        "the relaxed Bernoulli as a density on [0, 1], normalised",
        "Loaiza-Ganem & Cunningham 2019",
    ),
    Entry(
        "laplace",
        f"{LIKELIHOODS_MODULE}:LaplaceLikelihood",
        "Laplace density, one learned scale: absolute errors count",
        "Lin & Clark 2020",
    ),
    Entry(
        "discretized-logistic",
        f"{LIKELIHOODS_MODULE}:DiscretizedLogisticLikelihood",
        "logistic integrated over each 8-bit level, one learned scale or ':pixel': a mass",
        "Kingma et al. 2016",
    ),
    Entry(
        "discretized-logistic-mixture",
        f"{LIKELIHOODS_MODULE}:LogisticMixtureLikelihood",
        "so many (10) discretised logistics per pixel, channels coupled: a mass",
        "Salimans et al. 2017",
    ),
    Entry(
        "beta",
        f"{LIKELIHOODS_MODULE}:BetaLikelihood",
        "Beta density, mean and concentration per pixel; bits/dim are an upper bound",
    ),
    Entry(
        "binomial",
        f"{LIKELIHOODS_MODULE}:BinomialLikelihood",
        "levels as successes in 255 tosses: a mass, far over-confident",
    ),
)
