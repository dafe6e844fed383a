"""Options of a run as they are kept: in ``config.yaml`` and in the ledger."""

import re
from typing import Any

import yaml

from vaesearch.config import Config
from vaesearch.report.machine import hardware, software

_PASSWORD = re.compile(r"(://[^/@:]*):[^@/]*@")
_OPTION = re.compile(r"(?<=[?&])(?:password|passwd|pwd|sslpassword)=[^&]*&?", re.IGNORECASE)


def config_text(config: Config) -> str:
    """``config.yaml``: every option as resolved, and what it ran on."""
    head = software() | {"machine": hardware()}
    comments = "".join(f"# {key}: {value}\n" for key, value in head.items())
    return comments + str(yaml.safe_dump(plain(config), sort_keys=False))


def plain(config: Config) -> dict[str, Any]:
    """The options as JSON gives them back, without the password of the storage.

    Run directories are copied about and sent to MLflow. A resumed search takes the password from
    where the database's own tools look for it, or from ``--storage`` once more.
    """
    kept = config.to_dict().items()
    options: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in kept}
    if options.get("storage"):
        bare = _OPTION.sub("", _PASSWORD.sub(r"\1@", options["storage"]))
        options["storage"] = bare.rstrip("?&")
    return options
