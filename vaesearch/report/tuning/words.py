"""How the figures and values of trials are written for a person."""

import math
from collections.abc import Mapping
from typing import Any

from vaesearch import catalogue
from vaesearch.report.units import NONE, SCALES

LABELS = {
    "bpd": "bits/dim",
    "elbo": "ELBO in nats",
    "reconstruction": "reconstruction in nats",
    "mse": "squared error per pixel",
    "kl": "KL(q(z|x) || p(z)) in nats",
    "consistency": "consistency in nats",
    "parameters": "parameters",
    "flops": "FLOPs per image",
    "memory": "bytes of memory",
}


def label(objective: str) -> str:
    """Of an axis or a column, with the unit."""
    return LABELS.get(objective, objective)


def short(objective: str) -> str:
    """The same in a word."""
    return LABELS["bpd"] if objective == "bpd" else objective


def direction(objective: str) -> str:
    """Which way is better."""
    lower = "lower" in catalogue.find("objectives", objective).traits
    return "lower is better" if lower else "higher is better"


def figure(objective: str, value: float | None) -> str:
    """A figure in as many digits as mean something; ``-`` where there is none.

    >>> figure("bpd", 3.14159), figure("consistency", 12.3456), figure("parameters", 123456)
    ('3.142', '12.3', '123,456')
    """
    if value is None or not math.isfinite(value):
        return NONE
    if objective in SCALES:
        return SCALES[objective].write(value)
    if objective in ("parameters", "memory"):
        return f"{int(value):,}"
    return f"{value:.3g}"


def value(given: Any) -> str:
    """A value of a parameter.

    >>> value(0.00123456), value(16), value("planar")
    ('0.00123', '16', 'planar')
    """
    return f"{given:.3g}" if isinstance(given, float) else str(given)


def values(given: Mapping[str, Any]) -> str:
    """All values of a trial in a line."""
    return ", ".join(f"{name} {value(content)}" for name, content in given.items())
