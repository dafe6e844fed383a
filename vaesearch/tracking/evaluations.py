"""What MLflow is to show of the measurements in ``RUN_DIR/evaluation``; free of MLflow.

A figure is a metric ``evaluation/SPLIT/FIGURE`` of its arm's run at the epoch of the checkpoint,
its standard error the same with ``_error`` behind it. Values carry the time of their measurement,
so sending a file twice changes nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.updates import Point, RunUpdate

FOLDER = "evaluation"  # of the files, among the artifacts of the run
_NOT_IN_NAMES = re.compile(r"[^\w. /-]+")


def evaluation_files(run_dir: RunDir) -> dict[Path, str]:
    """The files of measurements, each with a stamp that changes when it is written anew."""
    return {path: stamp_of(path) for path in sorted(run_dir.evaluations.glob("*.json"))}


def stamp_of(path: Path) -> str:
    """What changes when the file is written anew."""
    status = path.stat()
    return f"{status.st_mtime_ns}-{status.st_size}"


def read_update(path: Path) -> RunUpdate:
    """What a file adds to the run of its arm.

    Raises:
        OSError: it cannot be read.
        ValueError, KeyError, TypeError: it is damaged.
    """
    content = json.loads(path.read_text())
    epoch = int(content["epoch"])
    shown = _shown(content["measurements"])
    points = [point for key, record in shown for point in _points(key, record, epoch)]
    return RunUpdate(str(content["arm"]), points=points)


def _shown(records: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each figure once: measured on the most images, and of those last."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for record in sorted(records, key=lambda r: (r["images"], r["time"])):
        for name in record["figures"]:
            best[_key(record, name), name] = record
    for (key, name), record in best.items():
        yield key, record["figures"][name] | {"time": record["time"]}


def _key(record: Mapping[str, Any], figure: str) -> str:
    """``evaluation/test/bpd``, or ``evaluation/test/bpd_100`` where settings were given.

    A setting that the figure has in its own name, as ``iwae_5000`` has, is not said twice.
    """
    settings = record["spec"].removeprefix(record["metric"]).lstrip(":")
    said = figure.split("_")
    more = [
        s for s in settings.split(",") if s and s.partition("=")[2] not in said and s not in said
    ]
    name = "_".join([figure, *(setting.replace("=", "-") for setting in more)])
    return _NOT_IN_NAMES.sub("-", f"evaluation/{record['split']}/{name}")


def _points(key: str, figure: Mapping[str, Any], epoch: int) -> Iterator[Point]:
    now = round(figure["time"] * 1000)
    for name, value in ((key, figure["value"]), (f"{key}_error", figure["error"])):
        if value is not None:
            yield Point(name, float(value), epoch, now)
