"""The start: one worker is enough to begin, and there must be one in time."""

from collections.abc import Callable, Sequence

from vaesearch.errors import InputError, VaesearchError
from vaesearch.search.backends.base import Outcome
from vaesearch.search.backends.ray.fleet import Fleet
from vaesearch.search.backends.ray.planning import Plan
from vaesearch.search.backends.ray.pool import Pool
from vaesearch.search.backends.ray.watching import START_SECONDS

GROW_SECONDS = 1800.0  # until the first worker is up, where machines have to be started first
TICK_SECONDS = 1.0


def await_first(
    wait: Callable[[float], Sequence[Outcome]],
    now: Callable[[], float],
    pool: Pool,
    fleet: Fleet,
    plan: Plan,
) -> list[Outcome]:
    """Wait for a worker; a node that is still starting must not hold the rest.

    Args:
        wait: for news, a number of seconds.
        now: seconds.
        pool: of the workers.
        fleet: of the machines.
        plan: what a worker takes.

    Returns:
        What happened meanwhile, each thing once.

    Raises:
        InputError: no worker came up, or none was placed in time.
    """
    limit = GROW_SECONDS if plan.growth.possible else START_SECONDS
    began = now()
    seen: list[Outcome] = []
    while not pool.up:
        # One that has a machine and prepares itself is watched with a patience of its own.
        if now() - began > limit and not any(member.where for member in pool):
            raise InputError(
                f"no Ray worker started within {limit:.0f} s: the cluster has "
                f"{fleet.words()}, and each worker takes {plan.share}.\n"
                "Add machines, wait for other jobs to end, or give smaller shares "
                "(--gpus-per-worker)."
            )
        try:
            seen += wait(TICK_SECONDS)
        except VaesearchError as error:
            raise InputError(str(error)) from error
    return seen
