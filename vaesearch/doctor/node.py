"""What one machine of a cluster says of itself; sent there whole, so only Python's own modules.

The functions run where vaesearch, torch, or anything else may be missing.
"""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib import metadata, util
from pathlib import Path

PACKAGES = ("vaesearch", "ray", "torch", "numpy")
SMI_SECONDS = 15.0
PATIENCE = 10.0  # with a storage that does not answer


def facts() -> dict[str, object]:
    """Versions, GPUs, free disk and memory."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "versions": {name: _version(name) for name in PACKAGES},
        "importable": util.find_spec("vaesearch") is not None,
        "cuda": _cuda_of_torch(),
        "gpus": _gpus(),
        "disk": shutil.disk_usage(tempfile.gettempdir()).free,
        "memory": _memory(),
    }


def clock() -> float:
    """Unix time, as this machine has it."""
    return time.time()


def sees(where: str, token: str) -> str:
    """Look for the token of the driver and answer it; empty, or why that failed."""
    try:
        from vaesearch.storage import folder_of, probe

        probe.find(folder_of(where, patience=PATIENCE), token)
    except ImportError as error:
        return f"{error.name} is not installed there"
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cuda_of_torch() -> str | None:
    """What torch was built for, from its file: importing it takes seconds."""
    spec = util.find_spec("torch")
    if spec is None or not spec.origin:
        return None
    try:
        text = Path(spec.origin).with_name("version.py").read_text()
    except OSError:
        return None
    found = re.search(r"^cuda[^=]*= *'([^']+)'", text, re.MULTILINE)
    return found.group(1) if found else None


def _gpus() -> list[str]:
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SMI_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _memory() -> int | None:
    """Bytes that programs can still have."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    found = re.search(r"^MemAvailable: +(\d+) kB", text, re.MULTILINE)
    return 1024 * int(found.group(1)) if found else None
