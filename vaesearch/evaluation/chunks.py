"""How many pictures to decode at once: as many as are fast, or fewer where memory is short."""

from collections.abc import Callable
from typing import TypeVar

import torch

from vaesearch.arguments import whole
from vaesearch.errors import InputError

# Numbers in the decoded pictures of one chunk. On a CPU they stay near its caches, which is worth
# more than larger products of matrices; a GPU is only busy with many pictures.
ON_CPU = 150_000
ON_GPU = 2**25

Result = TypeVar("Result")


def usual_chunk(numbers: int, device: torch.device) -> int:
    """A fast number of pictures, of so many numbers each, to decode at once."""
    return max(1, (ON_CPU if device.type == "cpu" else ON_GPU) // numbers)


def with_enough_memory(work: Callable[[int], Result], chunk: int) -> tuple[Result, int]:
    """``work(chunk)``, done anew with half the chunk for as long as memory is too short.

    Returns:
        What ``work`` gave, and the chunk that it gave it for.

    Args:
        work: given the pictures to decode at once; must give the same for any number of them.
        chunk: to start with.

    Raises:
        InputError: one picture at a time is too much, too; or ``chunk`` is below 1.
    """
    whole("the pictures decoded at once", chunk)
    while True:
        try:
            return work(chunk), chunk
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).split("\n", 1)[0][:200]
        # Only out here has the failed attempt let go of what it held.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if chunk == 1:
            raise InputError(
                "too little memory to decode one picture at a time: measure a smaller model or "
                f"fewer samples, or on a machine with more memory ({reason})."
            )
        chunk //= 2


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was too short, on whatever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # The CPU's allocator raises a plain RuntimeError.
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "not enough memory" in text
    )
