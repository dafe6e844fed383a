"""q(z|x): features of an image go in, a distribution over its latents comes out."""

from vaesearch.models.posteriors.diagonal import DiagonalGaussianPosterior
from vaesearch.models.posteriors.heads import LOG_VARIANCE_RANGE

__all__ = ["LOG_VARIANCE_RANGE", "DiagonalGaussianPosterior"]
