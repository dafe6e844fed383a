"""One measurement: a metric, taken of a subject, with what must be known to take it again."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from vaesearch.assessment.asking import Asked, Conditions, choose, key_parts
from vaesearch.errors import InputError, VaesearchError
from vaesearch.evaluation.chunks import is_out_of_memory
from vaesearch.evaluation.estimates import Estimate, Measurement
from vaesearch.evaluation.metrics import Metric
from vaesearch.evaluation.subject import Progress, Subject
from vaesearch.report.machine import hardware, software
from vaesearch.search.evaluations import Key, Record
from vaesearch.threads import threads

# Without importing the package from inside; its metadata are missing where it is not installed.
_VERSION = str(sys.modules["vaesearch"].__version__)

Watch = Callable[[str, float], None]  # told a metric and the share of it that is done


def measure(
    subject: Subject,
    metrics: str | Sequence[str | Metric] | None = None,
    watch: Watch = lambda spec, share: None,
) -> list[Record]:
    """Measure a model that need not be of any run directory; nothing is kept.

    For example ``measure(Subject(model, data, split="valid"), "elbo,bpd:100")``.

    Args:
        subject: the model and the images.
        metrics: a list as for ``--metrics``, or metrics; by default the quick ones that are
            defined for the model.
        watch: told the share of each metric that is done, from 0 to 1.

    Raises:
        InputError: a metric that was asked for is unknown, or not defined for the model; nothing
            was measured.
    """
    defined = []
    for asked in choose(metrics):
        try:
            check(asked, subject)
        except InputError:
            if asked.by_name:
                raise
        else:
            defined.append(asked)
    images, data = len(subject.images), subject.data.fingerprint
    return [
        take(asked, subject, key_of(asked, subject, images, data), partial(watch, asked.spec))
        for asked in defined
    ]


def check(asked: Asked, subject: Subject) -> None:
    """Refuse a metric that is not defined for the subject.

    Raises:
        InputError: says why, and what to measure instead.
    """
    _guarded(asked, lambda: asked.metric.check(subject))


def key_of(
    asked: Asked, on: Conditions | Subject, images: int, data: str, digest: str = ""
) -> Key:
    """What the figures of a metric follow from.

    Args:
        asked: the metric.
        on: what it is measured on.
        images: how many of them there are.
        data: fingerprint of the whole data set.
        digest: of the checkpoint.

    Raises:
        InputError: a metric of a user's own depends on what there is not.
    """
    return Key(
        asked.name,
        asked.settings,
        on.split,
        images,
        on.seed,
        key_parts(asked, on),
        digest,
        data,
        _VERSION,
    )


def take(asked: Asked, subject: Subject, key: Key, progress: Progress) -> Record:
    """Measure one metric, which was checked.

    Raises:
        InputError: a metric of a user's own failed, or found what cannot be kept, or there is
            too little memory.
    """
    started = time.perf_counter()
    with threads():  # the same figures, whatever the number of cores and their load
        found = _guarded(asked, lambda: asked.metric.measure(subject, progress))
    seconds = time.perf_counter() - started
    if not isinstance(found, Measurement):
        raise InputError(
            f"metric {asked.spec!r}: `measure` gave a {type(found).__name__}, not a Measurement."
        )
    record = Record(
        asked.spec,
        key,
        {name: _with_unit(name, value, asked.metric) for name, value in found.figures.items()},
        found.details,
        found.notes,
        seconds,
        time.time(),
        subject.device.type,
        hardware(),
        software(),
    )
    return _as_kept(record)


def _with_unit(name: str, figure: Estimate, metric: Metric) -> Estimate:
    """The figure with the unit that its metric names, if it has none of its own."""
    if figure.unit:
        return figure
    for pattern, (unit, better) in getattr(metric, "units", {}).items():
        if fnmatchcase(name, pattern):
            return replace(figure, unit=unit, better=better)
    return figure


def _as_kept(record: Record) -> Record:
    """The record as it is read back from its file, so that both are the same to the last bit."""
    try:
        return Record.from_dict(json.loads(json.dumps(record.to_dict())))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"metric {record.spec!r}: what it found is no plain data ({error})."
        ) from error


def _guarded(asked: Asked, call: Callable[[], Any]) -> Any:
    """Call into a metric; what a user's own raises is the user's to mend."""
    try:
        return call()
    except VaesearchError:
        raise
    # Whatever a user's class may raise.
    except Exception as error:
        if is_out_of_memory(error):
            raise InputError(
                f"metric {asked.spec!r}: out of memory; give a smaller --chunk, or fewer --images."
            ) from error
        if not asked.is_own:
            raise
        raise InputError(f"metric {asked.spec!r}: {type(error).__name__}: {error}") from error
