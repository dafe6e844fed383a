"""When the memory of a GPU is too small: said in one kind of error, and cleared up after.

And when a GPU is lost, which is told from that.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from vaesearch.errors import OutOfMemoryError

# Libraries beneath torch report what they could not allocate as a plain RuntimeError.
_SIGNS = ("CUDA out of memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED")

Result = TypeVar("Result")


def lacks_gpu_memory(error: BaseException) -> bool:
    """Whether ``error`` says that a GPU's memory was too small.

    >>> lacks_gpu_memory(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"))
    True
    >>> lacks_gpu_memory(MemoryError()), lacks_gpu_memory(RuntimeError("shapes differ"))
    (False, False)
    """
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def has_lost_gpu(error: BaseException) -> bool:
    """Whether this process cannot use its GPU any more, as ``error`` suggests.

    After an assertion inside a kernel, or an access to memory that is not there, CUDA answers
    every later call of the process with the same error, whatever it is about.
    """
    suspect = isinstance(error, RuntimeError) and "CUDA error" in str(error)
    return suspect and not lacks_gpu_memory(error) and not gpu_answers()


def gpu_answers() -> bool:
    """Whether the GPU computes something."""
    try:
        return torch.ones(1, device="cuda").item() == 1
    except (RuntimeError, AssertionError):
        return False


def with_room(work: Callable[[], Result], make_room: Callable[[], None]) -> Result:
    """``work()``; where it finds the memory of the GPU too small, once more after ``make_room()``.

    What else lies in the GPU, of this process or of another that is about to end, says nothing of
    the work, so only the second verdict counts.

    Args:
        work: starts from the same, however often it is done.
        make_room: lets go of what the work does not need.

    Raises:
        OutOfMemoryError: it was too small twice; all that was held is let go.
    """
    reason = ""
    for _ in range(2):
        try:
            return work()
        except OutOfMemoryError as error:
            reason = str(error)
        except RuntimeError as error:
            if not lacks_gpu_memory(error):
                raise
            reason = _first_line(error)
        # Only out here has the failed attempt let go of what it held.
        make_room()
    raise OutOfMemoryError(reason)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Say of memory that is lacking in this context what it is lacking for.

    Raises:
        OutOfMemoryError: it is; begins with ``name`` and a colon.
    """
    try:
        yield
    except RuntimeError as error:
        if not lacks_gpu_memory(error):
            raise
        raise OutOfMemoryError(f"{name}: {_first_line(error)}") from None


def _first_line(error: RuntimeError) -> str:
    return str(error).strip().split("\n", 1)[0][:200] or "out of memory"


def tidy_up() -> None:
    """Give memory that nobody uses any more back to the GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
