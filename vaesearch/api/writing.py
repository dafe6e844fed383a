"""Options of a run as they are kept: in ``config.yaml`` and in the ledger."""

from typing import Any

import yaml

from vaesearch.config import Config
from vaesearch.report.machine import hardware, software
from vaesearch.tracking.uris import without_password


def config_text(config: Config) -> str:
    """``config.yaml``: every option as resolved, and what it ran on."""
    head = software() | {"machine": hardware()}
    comments = "".join(f"# {key}: {value}\n" for key, value in head.items())
    return comments + str(yaml.safe_dump(plain(config), sort_keys=False))


def plain(config: Config) -> dict[str, Any]:
    """The options as JSON gives them back, without the passwords of storage and tracking.

    Run directories are copied about and sent to MLflow. A resumed search takes passwords from
    where databases and MLflow look for them, or from ``--storage`` and ``--tracking-uri`` again.
    """
    kept = config.to_dict().items()
    options: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in kept}
    for name in ("storage", "tracking_uri"):
        if options.get(name):
            options[name] = without_password(options[name])
    return options
