"""Scores of a model on images it was not trained on."""

from vaesearch.evaluation.aggregate import divergence, fit_aggregate
from vaesearch.evaluation.importance import iwae
from vaesearch.evaluation.pictures import pictures
from vaesearch.evaluation.scores import appraise, validate

__all__ = ["appraise", "divergence", "fit_aggregate", "iwae", "pictures", "validate"]
