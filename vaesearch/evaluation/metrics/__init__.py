"""Metrics by name: each a frozen record of its settings that can measure a subject.

``vaesearch list metrics`` shows them; a row in ``vaesearch/catalogue/metrics.py`` adds one. A
metric is written with its settings, as ``iwae:5000``; everything else it needs comes from the
:class:`~vaesearch.evaluation.subject.Subject`.
"""

from vaesearch.evaluation.metrics.core import Metric

__all__ = ["Metric"]
