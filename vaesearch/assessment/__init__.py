"""Measure a trained model of a run directory; ``vaesearch evaluate`` prints the same.

:func:`evaluate` measures checkpoints of a run directory, keeps what it found in
``RUN_DIR/evaluation/`` and sends it to MLflow; :func:`measure` measures any model on any images.
Which metrics there are is the catalogue's matter: nothing here knows one by name.
"""

from vaesearch.assessment.evaluating import Assessment, evaluate
from vaesearch.assessment.measuring import measure
from vaesearch.assessment.sending import publish

__all__ = ["Assessment", "evaluate", "measure", "publish"]
