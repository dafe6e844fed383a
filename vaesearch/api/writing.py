"""``config.yaml`` of a run."""

import yaml

from vaesearch.config import Config
from vaesearch.report.machine import hardware, software


def config_text(config: Config) -> str:
    """``config.yaml``: every option as resolved, and what it ran on."""
    head = software() | {"machine": hardware()}
    comments = "".join(f"# {key}: {value}\n" for key, value in head.items())
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in config.to_dict().items()}
    return comments + str(yaml.safe_dump(plain, sort_keys=False))
