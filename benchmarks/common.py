"""What the benchmarks share: the machine in a line, numbers with their spread, Markdown tables."""

import platform
import statistics
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def hardware(*packages: str) -> str:
    """CPU model, cores and the versions of Python and ``packages``; no host names."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in packages]
    return f"{_cpu_model()}, {_cores()} cores; {', '.join(versions)}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cores() -> int:
    import os

    return os.cpu_count() or 1


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and in brackets the least and the greatest.

    >>> spread([3.0, 1.0, 2.0], 1)
    '2.0 (1.0-3.0)'
    """
    if not values:
        return "-"
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Ratios of what was measured in the same round; none where a side was not measured."""
    return [a / b for a, b in zip(above, below, strict=False)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def publish(text: str, out: Path | None) -> None:
    """Print ``text``, and write it to ``out`` where that is given."""
    print(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
