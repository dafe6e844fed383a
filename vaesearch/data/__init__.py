"""Images for a search: found, brought to one shape, split once and for all, and cached.

Importing this package loads neither torch nor torchvision nor scikit-learn; they are imported by
the functions that need them.
"""

from vaesearch.data.core import ImageData
from vaesearch.data.loading import load_data, load_images

__all__ = ["ImageData", "load_data", "load_images"]
