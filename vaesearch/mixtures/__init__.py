"""How many Gaussians suit the codes of a trained model; ``vaesearch mixture`` prints the same.

A mixture of Gaussians is fitted to codes of training images after training (Lin et al. 2019,
eq. 12). How many components it has is tuned here, on codes that are computed once: nothing is
trained again.
"""

from vaesearch.mixtures.found import Tuned
from vaesearch.mixtures.tuning import tune_mixtures

__all__ = ["Tuned", "tune_mixtures"]
