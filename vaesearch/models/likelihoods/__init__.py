"""p(x|z): a decoder's output goes in, a distribution over pixels comes out.

A likelihood says with ``outputs(channels)`` how many maps the decoder has to make for it.
``forward(parameters, fit_to)`` takes the images as ``fit_to`` while training, for the likelihood
whose scale has a closed form. The others ignore it.

Parameters of a likelihood's own are numbers for all pixels, and learn faster than the networks
(:func:`vaesearch.training.make_optimizer`).
"""

from vaesearch.models.likelihoods.bounded import (
    BernoulliLikelihood,
    BetaLikelihood,
    ContinuousBernoulliLikelihood,
)
from vaesearch.models.likelihoods.core import MIN_LOG_VARIANCE, Likelihood
from vaesearch.models.likelihoods.gaussian import GaussianLikelihood, gaussian
from vaesearch.models.likelihoods.levels import (
    BinomialLikelihood,
    DiscretizedLogisticLikelihood,
    DiscretizedNormalLikelihood,
    LaplaceLikelihood,
)
from vaesearch.models.likelihoods.mixture import LogisticMixtureLikelihood
from vaesearch.models.likelihoods.staged import StagedGaussianLikelihood

__all__ = [
    "MIN_LOG_VARIANCE", "BernoulliLikelihood", "BetaLikelihood", "BinomialLikelihood",
    "ContinuousBernoulliLikelihood", "DiscretizedLogisticLikelihood",
    "DiscretizedNormalLikelihood", "GaussianLikelihood", "LaplaceLikelihood", "Likelihood",
    "LogisticMixtureLikelihood", "StagedGaussianLikelihood", "gaussian",
]  # fmt: skip
