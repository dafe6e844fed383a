"""The start: one worker is enough to begin, and there must be one in time, or hope for one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vaesearch.errors import InputError, VaesearchError
from vaesearch.search.backends.base import Outcome
from vaesearch.search.backends.ray.fleet import Fleet
from vaesearch.search.backends.ray.planning import Plan
from vaesearch.search.backends.ray.pool import Pool
from vaesearch.search.backends.ray.watching import START_SECONDS

GROW_SECONDS = 1800.0  # until the first worker is up, where machines have to be started first
TICK_SECONDS = 1.0
REST_SECONDS = 5.0


@dataclass
class Hope:
    """Whether workers may still come up, and when to try.

    Attributes:
        plan: what a worker takes, and whether the cluster can grow.
        had: a worker was up once.
        reason: why the last machine was given up.
    """

    plan: Plan
    had: bool = False
    reason: str = ""
    _rest: float = float("-inf")

    @property
    def can_wait(self) -> bool:
        """Whether machines may come that are better than those that were given up."""
        return not self.plan.fixed and (self.had or self.plan.growth.possible)

    def failed(self, node: str, reason: str, now: float, pool: Pool, *, given_up: bool) -> None:
        """A worker did not come up; where it is not known on which node, rest a bit.

        Args:
            node: Ray's name of the machine; empty if unknown.
            reason: why.
            now: seconds.
            pool: is told which nodes are given up.
            given_up: the node is.

        Raises:
            VaesearchError: nothing is to be waited for.
        """
        if not node:
            self._rest = now + REST_SECONDS
        if not given_up:
            return
        self.reason = reason
        if node:
            pool.avoid.add(node)
        elif not pool.up and not self.can_wait:
            raise self._error()

    def resting(self, now: float) -> bool:
        """Whether to start nobody now."""
        return now < self._rest

    def check(self, pool: Pool, fleet: Fleet) -> None:
        """Give up where nothing is to be waited for, and all machines were given up.

        Raises:
            VaesearchError: with the reason.
        """
        if not pool.avoid or self.can_wait or any(member.where for member in pool):
            return
        if not self.plan.share.room(fleet.usable(pool.avoid)):
            raise self._error()

    def _error(self) -> VaesearchError:
        """That no worker can start."""
        return VaesearchError(f"Ray workers cannot start: {self.reason}")


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
