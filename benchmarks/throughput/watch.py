"""A clock around functions, for what a search spends where."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any


class Watch:
    """Seconds of this thread spent in wrapped functions, by part.

    Attributes:
        cpu: of the processor. One function inside another counts twice.
        wall: that went by, waiting for disks and other processes included.
    """

    def __init__(self) -> None:
        self.cpu: dict[str, float] = defaultdict(float)
        self.wall: dict[str, float] = defaultdict(float)

    def around(self, part: str, function: Callable) -> Callable:
        """The function, timed as ``part``."""

        def timed(*arguments: Any, **options: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                self.cpu[part] += time.thread_time() - cpu
                self.wall[part] += time.perf_counter() - wall

        return timed

    def clear(self) -> None:
        """Begin again."""
        self.cpu.clear()
        self.wall.clear()


class Watched:
    """An object whose methods are timed as ``part``; its other attributes are as they are."""

    def __init__(self, inner: Any, watch: Watch, part: str, methods: tuple[str, ...]) -> None:
        self._inner = inner
        for name in methods:
            setattr(self, name, watch.around(part, getattr(inner, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
