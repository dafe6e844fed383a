"""What a run directory keeps of evaluations: a JSON file for each checkpoint that was measured.

Every finished measurement is merged into the file under a lock, so that two processes that
measure the same checkpoint lose nothing of each other's, and a kill loses only what is under way.
"""

import fcntl
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from vaesearch.errors import RunDirError
from vaesearch.records import Estimate
from vaesearch.storage.local import write_atomically

FORMAT = 1


@dataclass(frozen=True)
class Key:
    """All that the figures of a measurement follow from.

    Attributes:
        metric: its name, or ``module:Class`` of a user's own.
        settings: of the metric, by name.
        split: of the images that it was measured on.
        images: how many of them.
        seed: of everything random.
        depends: what else of the subject they follow from, such as the extractor.
        digest: SHA-256 of the checkpoint; empty for a model that is in none.
        data: fingerprint of the images.
        version: of vaesearch.
    """

    metric: str
    settings: dict[str, Any]
    split: str
    images: int
    seed: int
    depends: dict[str, Any]
    digest: str
    data: str
    version: str


@dataclass(frozen=True)
class Record:
    """A measurement as it is kept.

    Attributes:
        spec: the metric with its settings as one would type them, such as ``iwae:100``.
        key: what the figures follow from.
        figures: by name.
        details: plain data that is no single number.
        notes: what a reader must know to read the figures right.
        seconds: that it took.
        time: when it was finished, Unix time in seconds.
        device: ``cpu`` or ``cuda``.
        hardware, software: what it ran on.
        cached: whether it was measured before, and not just now; not kept.
    """

    spec: str
    key: Key
    figures: dict[str, Estimate]
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    time: float = 0.0
    device: str = ""
    hardware: str = ""
    software: dict[str, str] = field(default_factory=dict)
    cached: bool = field(default=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON; None stands for a number that is not finite."""
        content = asdict(self)
        key = content.pop("key")
        del content["cached"]
        plain: dict[str, Any] = finite({"spec": content.pop("spec")} | key | content)
        return plain

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Record":
        """The record that :meth:`to_dict` made plain; KeyError or TypeError if it is none."""
        rest = dict(content)
        key = Key(**{f.name: rest.pop(f.name) for f in fields(Key)})
        figures = {name: _estimate(value) for name, value in rest.pop("figures").items()}
        return cls(key=key, figures=figures, notes=tuple(rest.pop("notes")), **rest)


def _estimate(content: dict[str, Any]) -> Estimate:
    value = content["value"]
    return Estimate(**content | {"value": math.nan if value is None else float(value)})


def finite(value: Any) -> Any:
    """``value`` with None for every number that JSON cannot hold."""
    match value:
        case dict():
            return {key: finite(item) for key, item in value.items()}
        case list() | tuple():
            return [finite(item) for item in value]
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value


def read_records(path: Path) -> list[Record]:
    """What the file has; nothing where there is none.

    Raises:
        RunDirError: it is damaged, or was written by a newer version.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, not {FORMAT}")
        return [Record.from_dict(item) for item in content["measurements"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> RunDirError:
    reason = " ".join(str(error).split())
    return RunDirError(
        f"{path} is damaged ({type(error).__name__}: {reason}).\n"
        "Move it away and measure again; it is not overwritten."
    )


def merge_records(path: Path, arm: str, epoch: int, new: Iterable[Record]) -> None:
    """Add records to the file, each in the place of an older one under the same key.

    Args:
        path: made with its folder if missing.
        arm: which the file is of.
        epoch: of the checkpoint.
        new: to add.

    Raises:
        RunDirError: the file is damaged; it stays as it is.
        OSError: it cannot be written; it stays as it is.
    """
    path.parent.mkdir(exist_ok=True)
    with locked(path.parent / ".lock"):
        records = read_records(path)
        for record in new:
            records = [r for r in records if r.key != record.key] + [record]
        content = {
            "format": FORMAT,
            "arm": arm,
            "epoch": epoch,
            "measurements": [record.to_dict() for record in records],
        }
        write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock file and hold it; it dies with the process."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
