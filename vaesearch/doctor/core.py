"""A check is a function from a question to findings; they run side by side, each with a limit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Literal

State = Literal["ok", "warning", "FAIL"]
REPORT = "this is a fault of the check itself: please report it; a search may work all the same"


@dataclass(frozen=True)
class Question:
    """What a search would need, as its options have it.

    Attributes:
        run_dir: path or URL of the run; None for the default place.
        tracking_uri: of MLflow; None for a database beside the runs.
        storage: address of an Optuna storage; None for a file in the run directory.
        dataset, data_dir: as for a search.
        address: of a running Ray cluster; None for this machine alone.
        backend: which the search is to use: with ``local`` Ray is no must.
    """

    run_dir: str | None = None
    tracking_uri: str | None = None
    storage: str | None = None
    dataset: str = "digits"
    data_dir: str = "data"
    address: str | None = None
    backend: str = "ray"


@dataclass(frozen=True)
class Finding:
    """A line: what was looked at, how it is, what was seen, and what to do if it is not well."""

    name: str
    state: State
    seen: str
    cure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``Finding(**data)`` restores it."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """Something to look at, and how long that may take in seconds."""

    name: str
    look: Callable[[Question], Iterable[Finding]]
    limit: float = 20.0


def ok(name: str, seen: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", seen)


def warning(name: str, seen: str, cure: str) -> Finding:
    """A search works, but not as well as it could."""
    return Finding(name, "warning", seen, cure)


def fail(name: str, seen: str, cure: str) -> Finding:
    """A search would not work."""
    return Finding(name, "FAIL", seen, cure)


def examine(question: Question, checks: Sequence[Check]) -> Iterator[Finding]:
    """What all checks find, in their order, as soon as it is known.

    They run side by side in threads that nobody waits for longer than their limits, so that one
    that hangs, as on a file system that does not answer, costs a line and no more.
    """
    began = monotonic()
    running = [(check, _start(check, question)) for check in checks]
    for check, results in running:
        try:
            found = results.get(timeout=max(0.0, began + check.limit - monotonic()))
        except Empty:
            seen = f"no answer within {check.limit:g} s"
            cure = "something that it looks at hangs: a file system or a server that is gone?"
            found = [fail(check.name, seen, cure)]
        yield from found


def _start(check: Check, question: Question) -> "SimpleQueue[list[Finding]]":
    results: SimpleQueue[list[Finding]] = SimpleQueue()

    def act() -> None:
        try:
            found = list(check.look(question))
        except Exception as error:  # a check must never keep the others from being told
            seen = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            found = [fail(check.name, seen, REPORT)]
        results.put(found)

    Thread(target=act, name=f"check {check.name}", daemon=True).start()
    return results
