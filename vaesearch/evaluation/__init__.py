"""Scores of a model on images it was not trained on."""

from vaesearch.evaluation.scores import appraise, pictures, validate

__all__ = ["appraise", "pictures", "validate"]
