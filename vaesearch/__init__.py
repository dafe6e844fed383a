"""Find the best variational auto-encoder for a set of images in the least compute.

Importing this package loads neither torch nor Ray: the public names are resolved on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaesearch.api import resume, run_bandit, run_search
    from vaesearch.assessment import evaluate, measure
    from vaesearch.config import Config, TuneConfig
    from vaesearch.evaluation.subject import Subject
    from vaesearch.mixtures import tune_mixtures
    from vaesearch.pull import load_model
    from vaesearch.search.tuning.findings import findings

__version__ = "0.1.0"
__all__ = [
    "Config", "Subject", "TuneConfig", "__version__", "evaluate", "findings", "load_model",
    "measure", "resume", "run_bandit", "run_search", "tune_mixtures",
]  # fmt: skip

_HOME = {
    "Config": "vaesearch.config",
    "Subject": "vaesearch.evaluation.subject",
    "TuneConfig": "vaesearch.config",
    "evaluate": "vaesearch.assessment",
    "findings": "vaesearch.search.tuning.findings",
    "load_model": "vaesearch.pull",
    "measure": "vaesearch.assessment",
    "resume": "vaesearch.api",
    "run_bandit": "vaesearch.api",
    "run_search": "vaesearch.api",
    "tune_mixtures": "vaesearch.mixtures",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
