"""How many threads torch computes on: results depend on it, and so does speed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

THREADS = 1  # per worker: on a CPU one single-threaded worker per core is fastest, and repeatable


@contextmanager
def threads(count: int = THREADS) -> Iterator[None]:
    """Run torch's CPU kernels on ``count`` threads, and on as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
