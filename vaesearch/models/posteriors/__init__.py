"""q(z|x): features of an image go in, a distribution over its latents comes out."""

from vaesearch.models.posteriors.diagonal import LOG_VARIANCE_RANGE, DiagonalGaussianPosterior

__all__ = ["LOG_VARIANCE_RANGE", "DiagonalGaussianPosterior"]
