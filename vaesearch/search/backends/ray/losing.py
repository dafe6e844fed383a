"""Why a worker is gone, in a line, and whether the job that it had may have had a part in it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vaesearch.search.backends.base import Lost
from vaesearch.search.backends.ray.planning import Machine

# Where a machine goes away in good order, its processes die a moment before it.
DOUBT_SECONDS = 2.0
MOST = 300  # characters of what Ray says


def why(error: str, machine: Machine | None) -> tuple[str, bool]:
    """A line for the ledger, and whether the job is blameless.

    Args:
        error: what Ray says.
        machine: that the worker was on, as it is now; None if unknown.
    """
    where = machine.name if machine else "its machine"
    if _lacked_memory(error):
        return (
            f"killed by Ray's memory monitor: {where} ran out of memory; use fewer workers on it "
            "(--workers), a smaller --batch-size, or machines with more memory",
            False,
        )
    if is_blameless(error, machine):
        return f"{where} went away", True
    return f"its process on {where} died: {_detail(error)}", False


def is_blameless(error: str, machine: Machine | None) -> bool:
    """Whether the whole machine went away, or was about to."""
    if machine is not None and (not machine.alive or machine.draining):
        return True
    text = error.lower()
    return "node has died" in text or "node was terminated" in text or "preempted" in text


def is_broken_for_good(error: str) -> bool:
    """Whether what a job raised leaves its process without a GPU.

    After an illegal access or a failed assertion every call of CUDA in the same process fails.

    >>> is_broken_for_good("RuntimeError: CUDA error: device-side assert triggered")
    True
    >>> is_broken_for_good("RuntimeError: shapes differ")
    False
    """
    return "CUDA error:" in error and "out of memory" not in error


def _lacked_memory(error: str) -> bool:
    text = error.lower()
    signs = ("node_out_of_memory", "running low on memory", "memory usage threshold")
    return any(sign in text for sign in signs)


def _detail(error: str) -> str:
    """The part of Ray's many lines that says what happened."""
    if "creation task" in error:  # a traceback, whose last line is what was raised
        return error.strip().splitlines()[-1].strip()[:MOST]
    text = " ".join(error.split()).partition(" Some common causes include")[0]
    for start in ("Worker exit type:", "The actor is dead because", "The actor died because"):
        if start in text:
            return text[text.index(start) :][:MOST]
    return text[:MOST]


@dataclass
class Doubts:
    """Losses of which it is not known yet whether the whole machine went away."""

    _held: list[tuple[float, str, str, Lost]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def names(self) -> set[str]:
        """Workers whose loss is not known to the ledger yet."""
        return {lost.worker for *_, lost in self._held}

    def add(self, lost: Lost, node: str, error: str, now: float) -> None:
        """Hold a loss back; one that is blameless already, for no time."""
        self._held.append((now + (0.0 if lost.blameless else DOUBT_SECONDS), node, error, lost))

    def settled(
        self,
        now: float,
        machine: Callable[[str], Machine | None],
        probe: Callable[[str], None] = lambda node: None,
    ) -> list[Lost]:
        """Those that are known by now, or were held back for long enough.

        Before a job is blamed ``probe`` finds out whether its machine still answers.
        """
        for due in {node for until, node, _, lost in self._held if now >= until}:
            probe(due)
        done = []
        for entry in list(self._held):
            until, node, error, lost = entry
            if not lost.blameless:
                text, blameless = why(error, machine(node))
                lost = replace(lost, error=text, blameless=blameless)
            if lost.blameless or now >= until:
                done.append(lost)
                self._held.remove(entry)
        return done
