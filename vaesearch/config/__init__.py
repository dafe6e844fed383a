"""All options of a search, checked; the same on the command line, in YAML and in the ledger."""

from vaesearch.config.core import (
    BACKENDS,
    EPOCHS_PER_ARM,
    MAY_CHANGE,
    PIXELS,
    PLACES,
    PRECISIONS,
    Config,
    default_batch_size,
)
from vaesearch.config.reading import load_yaml
from vaesearch.config.tuning import (
    STORED,
    TUNING_MAY_CHANGE,
    TuneConfig,
    config_class,
    read_config,
)

__all__ = [
    "BACKENDS", "EPOCHS_PER_ARM", "MAY_CHANGE", "PIXELS", "PLACES", "PRECISIONS",
    "STORED", "TUNING_MAY_CHANGE", "Config", "TuneConfig", "config_class", "default_batch_size",
    "load_yaml", "read_config",
]  # fmt: skip
