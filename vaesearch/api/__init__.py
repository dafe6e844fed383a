"""The composition root: a configuration becomes a run directory with a ranking and models in it.

For example ``run_bandit(Config(dataset="digits", backend="local"), Path("runs/first"))``.
"""

from vaesearch.api.resuming import resume
from vaesearch.api.starting import run_bandit, run_search
from vaesearch.api.syncing import sync_study
from vaesearch.api.writing import config_text

__all__ = ["config_text", "resume", "run_bandit", "run_search", "sync_study"]
