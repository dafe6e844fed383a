"""Pictures of a trained model of a run directory; `vaesearch sample` and its like draw the same.

Each function takes what :func:`vaesearch.trained.open_trained` gives and returns arrays;
:func:`write` makes files of them. For example::

    trained = open_trained(Path("runs/first"))
    write(sample(trained, count=64, source="gmm"), Path("samples.png"))
"""

from vaesearch.gallery.images import Reconstructions, reconstruct
from vaesearch.gallery.map import latent_map
from vaesearch.gallery.paths import Interpolation, Traversal, interpolate, traverse
from vaesearch.gallery.samples import Samples, sample
from vaesearch.gallery.writing import check_target, write
from vaesearch.report.latent_map import LatentMap

__all__ = [
    "Interpolation", "LatentMap", "Reconstructions", "Samples", "Traversal", "check_target",
    "interpolate", "latent_map", "reconstruct", "sample", "traverse", "write",
]  # fmt: skip
