"""What MLflow is to show of the mixtures in ``RUN_DIR/mixtures``; free of MLflow.

Each number of components that was tried is a run of its own below that of its arm, with the
figures of the mixture as metrics at the epoch of the checkpoint. The arm's run shows the chosen
one. Values carry the time of their fit, so sending a file twice changes nothing.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path

from vaesearch.search.mixtures import Fit, Mixtures, mixtures_from
from vaesearch.search.run_dir import RunDir
from vaesearch.tracking.evaluations import stamp_of
from vaesearch.tracking.updates import CAUSE, STATUS, Point, RunUpdate

FOLDER = "mixtures"  # of the files, among the artifacts of the arm's run
CHOSEN, DIGEST = "vaesearch.chosen", "vaesearch.digest"


def mixture_files(run_dir: RunDir) -> dict[Path, str]:
    """The files of mixtures, each with a stamp that changes when it is written anew."""
    return {path: stamp_of(path) for path in sorted(run_dir.mixtures.glob("*.json"))}


def key_of(path: Path) -> str:
    """The name of a file in the cursor, beside those of measurements."""
    return f"{FOLDER}/{path.name}"


def read_updates(path: Path) -> list[RunUpdate]:
    """What a file adds to the run of its arm, and the runs below that.

    Raises:
        OSError: it cannot be read.
        ValueError, KeyError, TypeError: it is damaged.
    """
    known = mixtures_from(json.loads(path.read_text()))
    return [*_arm(known), *(_mixture(known, fit) for fit in _shown(known))]


def _shown(known: Mixtures) -> list[Fit]:
    """Of each number of components the fit that was made last, in rising order."""
    latest: dict[int, Fit] = {}
    for fit in sorted(known.fits, key=lambda fit: fit.time):
        latest[fit.components] = fit
    return [latest[components] for components in sorted(latest)]


def _arm(known: Mixtures) -> Iterator[RunUpdate]:
    chosen = known.chosen
    fit = known.find(chosen.components, chosen.basis) if chosen else None
    if chosen is None or fit is None:
        return
    now = _milliseconds(fit.time)
    points = [Point("mixture/components", float(chosen.components), known.epoch, now)]
    points += [
        Point(f"mixture/{point.key}", point.value, point.step, point.time_ms)
        for point in _points(fit, known.epoch)
    ]
    yield RunUpdate(known.arm, points=points)


def _mixture(known: Mixtures, fit: Fit) -> RunUpdate:
    chosen = known.chosen
    is_chosen = chosen is not None and (fit.components, fit.basis) == (
        chosen.components, chosen.basis,
    )  # fmt: skip
    tags = {
        STATUS: "failed" if fit.failed else "finished",
        CHOSEN: "yes" if is_chosen else "no",
        DIGEST: fit.basis.digest,
    }
    if fit.failed:
        tags[CAUSE] = fit.failed
    return RunUpdate(
        known.arm,
        start_ms=_milliseconds(fit.time - fit.seconds),
        # Nothing else is a param: the next study may differ in it, and params never change.
        params={"components": str(fit.components)},
        tags=tags,
        points=_points(fit, known.epoch),
        status="FAILED" if fit.failed else "FINISHED",
        end_ms=_milliseconds(fit.time),
        components=fit.components,
    )


def _points(fit: Fit, epoch: int) -> list[Point]:
    values = {"seconds": fit.seconds}
    for name, figure in fit.figures.items():
        values[name] = figure.value
        if figure.error is not None:
            values[f"{name}_error"] = figure.error
    now = _milliseconds(fit.time)
    return [
        Point(name, value, epoch, now) for name, value in values.items() if math.isfinite(value)
    ]


def _milliseconds(time: float) -> int:
    return round(time * 1000)
