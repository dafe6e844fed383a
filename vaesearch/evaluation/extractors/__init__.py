"""Networks that turn pictures into features, in which their distances are measured."""

from vaesearch.evaluation.extractors.core import Extractor, make_extractor

__all__ = ["Extractor", "make_extractor"]
