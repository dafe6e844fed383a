"""Recorded learning curves: a small file that says what every candidate would have done.

A recording is gzipped JSON: a manifest, and per (arm, seed) the validation and test figure and the
seconds of every epoch. Any run directory can be written as one, and any policy replayed on it.
"""

import gzip
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vaesearch.errors import RecordingError

FORMAT = "vaesearch-curves"
VERSION = 1
DIRECTIONS = {"min": -1.0, "max": 1.0}
METRICS = {"bpd": "min", "elbo": "max", "reconstruction": "max"}  # of our own rewards
CLOCKS = ("wall", "cpu")


@dataclass(frozen=True)
class Manifest:
    """What the curves are curves of.

    Attributes:
        dataset: name of the data set.
        metric: what ``valid`` and ``test`` hold, for example ``bpd`` (bits/dim).
        direction: ``min`` where a lower metric is better, ``max`` where a higher one is.
        hardware: what the seconds were measured on.
        clock: ``wall``, or ``cpu`` where processor time was counted (on a shared machine).
        data: description of the images: counts, shape, fingerprint.
        software: versions by name.
    """

    dataset: str
    metric: str
    direction: str
    hardware: str = ""
    clock: str = "wall"
    data: dict[str, Any] = field(default_factory=dict)
    software: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """One arm trained once.

    Attributes:
        arm: name of the candidate.
        seed: of its weights, order of data and noise.
        valid: the metric on validation images after epoch 1, 2, ...
        seconds: of each epoch, validation included.
        test: the metric on test images after each epoch; None where it was not measured.
        settings: of the model and its training.
        parameters: trainable ones.
        failed: why the arm can go no further, for example that it diverged; None if it can.
    """

    arm: str
    seed: int
    valid: tuple[float, ...]
    seconds: tuple[float, ...]
    test: tuple[float | None, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0
    failed: str | None = None


@dataclass(frozen=True)
class Recording:
    """Curves of one data set.

    Raises:
        RecordingError: something is missing or contradicts itself; see :func:`read_recording`.
    """

    manifest: Manifest
    curves: tuple[Curve, ...]

    def __post_init__(self) -> None:
        _check_manifest(self.manifest)
        seen = set()
        for curve in self.curves:
            _check_curve(curve)
            if (curve.arm, curve.seed) in seen:
                raise RecordingError(f"arm {curve.arm!r}, seed {curve.seed} is recorded twice.")
            seen.add((curve.arm, curve.seed))

    @property
    def seeds(self) -> list[int]:
        """Seeds that anything was recorded with, in order."""
        return sorted({curve.seed for curve in self.curves})

    def of_seed(self, seed: int) -> dict[str, Curve]:
        """The curves of one seed, by arm."""
        return {curve.arm: curve for curve in self.curves if curve.seed == seed}

    def reward(self, metric: float) -> float:
        """The metric turned so that higher is better."""
        return DIRECTIONS[self.manifest.direction] * metric


def read_recording(path: Path) -> Recording:
    """The recording in a file.

    Raises:
        RecordingError: no such file, not a recording, or one with gaps, numbers that are not
            finite, columns of unequal length, or a metric of unknown direction; the message
            names the arm and the epoch.
    """
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
    except gzip.BadGzipFile as error:
        raise RecordingError(f"{path} is damaged, or is not gzipped JSON: {error}.") from error
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}.") from error
    except (ValueError, EOFError, zlib.error) as error:
        raise RecordingError(f"{path} is damaged, or is not gzipped JSON: {error}.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise RecordingError(f"{path} holds no recorded curves (format {FORMAT!r}).")
    if data.get("version") != VERSION:
        raise RecordingError(
            f"{path} is of version {data.get('version')!r}; this release reads {VERSION}."
        )
    try:
        manifest = Manifest(**data["manifest"])
        curves = tuple(_curve(entry) for entry in data["curves"])
        return Recording(manifest, curves)
    except (KeyError, TypeError) as error:
        raise RecordingError(f"{path}: a field is missing or unknown: {error}") from error
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error


def recording_to_bytes(recording: Recording) -> bytes:
    """The file's content; the same recording gives the same bytes."""
    data = {
        "format": FORMAT,
        "version": VERSION,
        "manifest": asdict(recording.manifest),
        "curves": [asdict(curve) for curve in recording.curves],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), mtime=0)


def _curve(entry: Mapping[str, Any]) -> Curve:
    columns = {name: tuple(entry[name]) for name in ("valid", "seconds", "test")}
    return Curve(**{**entry, **columns})


def _check_manifest(manifest: Manifest) -> None:
    if manifest.direction not in DIRECTIONS:
        raise RecordingError(
            f"metric {manifest.metric!r} has the direction {manifest.direction!r}; "
            "say 'min' where lower is better, or 'max'."
        )
    if manifest.clock not in CLOCKS:
        raise RecordingError(f"clock is {manifest.clock!r}; allowed: {', '.join(CLOCKS)}.")


def _check_curve(curve: Curve) -> None:
    where = f"arm {curve.arm!r}, seed {curve.seed}"
    kinds = {"arm": str, "seed": int, "settings": dict, "parameters": int}
    for name, kind in kinds.items():
        if not isinstance(getattr(curve, name), kind):
            raise RecordingError(f"{where}: {name} must be {kind.__name__}.")
    if not isinstance(curve.failed, str | None):
        raise RecordingError(f"{where}: failed must say why in words, or be null.")
    lengths = {name: len(getattr(curve, name)) for name in ("valid", "seconds", "test")}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{count} of {name}" for name, count in lengths.items())
        raise RecordingError(f"{where} has columns of unequal length: {shown}.")
    if not curve.valid and not curve.failed:
        raise RecordingError(f"{where} has no epoch and did not fail.")
    _check_numbers(f"{where}, valid", curve.valid)
    _check_numbers(f"{where}, seconds", curve.seconds, least=0.0)
    _check_numbers(f"{where}, test", curve.test, gaps=True)


def _check_numbers(
    where: str, values: Sequence[Any], least: float = -math.inf, *, gaps: bool = False
) -> None:
    for epoch, value in enumerate(values, start=1):
        if value is None and gaps:
            continue
        if value is None:
            raise RecordingError(
                f"{where}: a gap at epoch {epoch}; epochs must follow each other."
            )
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and value >= least):
            raise RecordingError(
                f"{where}: epoch {epoch} is {value!r}; end the curve before it and say why in "
                "'failed'."
            )
