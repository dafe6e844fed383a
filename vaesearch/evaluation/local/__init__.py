"""Posteriors that are optimised for each image alone: what an encoder could do at best.

The gap between log p(x) and the bound of a VAE has two parts (Cremer, Li & Duvenaud 2018): the
family of posteriors may not hold p(z|x), and the encoder may not find the best member for an
image. :func:`decompose` measures them.
"""

from vaesearch.evaluation.local.decomposition import Decomposition, Settings, decompose
from vaesearch.evaluation.local.families import local_family
from vaesearch.evaluation.local.search import Ascent, improve, log_weights

__all__ = [
    "Ascent", "Decomposition", "Settings", "decompose", "improve", "local_family", "log_weights",
]  # fmt: skip
