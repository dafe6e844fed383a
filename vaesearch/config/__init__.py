"""All options of a search, checked; the same on the command line, in YAML and in the ledger."""

from vaesearch.config.core import (
    BACKENDS,
    EPOCHS_PER_ARM,
    MAY_CHANGE,
    PIXELS,
    PLACES,
    PRECISIONS,
    Config,
    absolute_database,
    check_model_name,
    default_batch_size,
)
from vaesearch.config.reading import load_yaml
from vaesearch.config.tuning import (
    EPOCHS_PER_TRIAL,
    NO_STORAGE,
    STORED,
    TUNING_MAY_CHANGE,
    TuneConfig,
    config_class,
    read_config,
)

__all__ = [
    "BACKENDS", "EPOCHS_PER_ARM", "EPOCHS_PER_TRIAL", "MAY_CHANGE", "NO_STORAGE", "PIXELS",
    "PLACES", "PRECISIONS", "STORED", "TUNING_MAY_CHANGE", "Config", "TuneConfig",
    "absolute_database", "check_model_name", "config_class", "default_batch_size", "load_yaml",
    "read_config",
]  # fmt: skip
