"""Signs of life from work that gives none itself, such as a fit in another library."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 1.0
MOST_TICKS = 3600  # what takes longer than an hour may well pass for hung


@contextmanager
def ticking(
    tick: Callable[[], None], *, seconds: float = SECONDS, most: int = MOST_TICKS
) -> Iterator[None]:
    """In this context ``tick`` is called at once and then every ``seconds``, by another thread.

    A process that was stopped does not tick: all its threads stand still.

    Args:
        tick: must be quick, and safe to call from any thread.
        seconds: between two calls.
        most: calls, after which the work has to do without.
    """
    done = threading.Event()

    def run() -> None:
        for _ in range(most):
            tick()
            if done.wait(seconds):
                return

    thread = threading.Thread(target=run, name="ticking", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
