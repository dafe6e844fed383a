"""Whether Ray works on this machine: started, given a task, and stopped again.

::

    python -m vaesearch.doctor.ray_here
"""

import json
import logging
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from vaesearch.doctor.core import Finding, Question, fail, ok, warning
from vaesearch.doctor.processes import ProbeError, ask
from vaesearch.doctor.versions import installed

SECONDS = 120.0
CURE = "look into /tmp/ray/session_latest/logs; `--backend local` needs no Ray"


def look_ray(question: Question) -> Iterator[Finding]:
    """Start Ray here, unless a cluster is to be used."""
    name = "Ray"
    has = installed("ray")
    if has is None:
        yield warning(name, "not installed", "pip install 'ray[default]', or --backend local")
    elif question.backend != "ray":
        yield ok(name, f"{has}, not asked for")
    elif question.address is not None:
        yield ok(name, f"{has}; not started here, since there is an --address")
    else:
        try:
            found = ask("vaesearch.doctor.ray_here", limit=SECONDS)
        except ProbeError as error:
            yield fail(name, f"{has} does not start here: {error}", CURE)
        else:
            yield ok(name, f"{has} starts here in {found['seconds']:.0f} s")


def report() -> dict[str, Any]:
    """Start, ask, stop."""
    import ray

    began = perf_counter()
    ray.init(
        address="local", num_cpus=1, include_dashboard=False, log_to_driver=False,
        logging_level=logging.ERROR,
    )  # fmt: skip
    answer = ray.get(ray.remote(_answer).remote())
    taken = perf_counter() - began
    ray.shutdown()
    return {"answer": answer, "seconds": taken}


def _answer() -> int:
    return 42


if __name__ == "__main__":
    print(json.dumps(report()))  # noqa: T201
