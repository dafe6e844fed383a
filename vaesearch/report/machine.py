"""What a search ran on, in a line: figures of time mean little without it."""

import os
import platform
from contextlib import suppress
from importlib import metadata
from pathlib import Path


def hardware() -> str:
    """Processor, cores and GPUs of this machine; no names of hosts.

    With workers on other machines of a cluster these are those of the one that led.
    """
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ", ".join([f"{_processor()}, {os.cpu_count()} cores", *gpus])


def software() -> dict[str, str]:
    """Versions of what decides a result and its time."""
    versions = {"python": platform.python_version()}
    for name in ("vaesearch", "torch", "numpy"):
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
