"""As many workers as are wanted and fit: started, asked for, let go.

A worker that finds no room stays pending in Ray, and that is the demand that an autoscaler sees:
it goes away with the worker, or with this process. `ray.autoscaler.sdk.request_resources` would
not: it stands until someone takes it back, so a driver that is killed would keep its machines for
ever; and it asks for a size of the whole cluster, whoever else works on it. On a cluster that
does not grow by itself pending workers start as soon as a machine joins.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import ray

from vaesearch.search.backends.ray.member import Member
from vaesearch.search.backends.ray.planning import Plan
from vaesearch.search.backends.ray.watching import START_SECONDS
from vaesearch.search.backends.ray.worker import WATCH, Kit, Worker

MOST_PENDING = 64  # asked for at a time: machines for the next ones are asked for as these come up
CALLS_BEFORE_LETTING_GO = 10  # of `want` in a row, so that a wish of a moment costs nobody a job


class Pool:
    """The workers of a search, by name.

    Args:
        plan: how many there may be, and what each takes.
        kit: what each is given.
        actor: what each is.
    """

    def __init__(self, plan: Plan, kit: Kit, actor: type[Worker] = Worker) -> None:
        self.members: dict[str, Member] = {}
        self.avoid: set[str] = set()  # nodes that no worker may be on
        self.wanted = plan.ceiling
        self._plan = plan
        self._kit = kit
        self._class = actor
        self._too_many = 0
        self._jobs = 0
        self._longest_wait = START_SECONDS

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self.members.values()))

    @property
    def up(self) -> list[Member]:
        """Those that are up."""
        return [member for member in self if member.joined]

    @property
    def target(self) -> int:
        """How many there should be."""
        return max(1, min(self.wanted, self._plan.ceiling))

    def number(self) -> int:
        """Of the next job."""
        self._jobs += 1
        return self._jobs

    def want(self, workers: int) -> None:
        """How many could be of use."""
        self.wanted = workers
        too_many = len(self.up) > self.target
        self._too_many = self._too_many + 1 if too_many else 0

    def fill(self, now: float, taken: Collection[str] = ()) -> None:
        """Start or ask for as many as are missing; none is called as one of ``taken``."""
        pending = sum(member.where is None for member in self)
        missing = min(self.target - len(self.members), MOST_PENDING - pending)
        for _ in range(missing):
            self._launch(self._free_name(taken), now)

    def replace_stuck(self, now: float, room: int) -> None:
        """Take back who found no machine for long though there is ``room``, to ask once more.

        Others may use the room, or a machine may be slow: the wait doubles each time.
        """
        if room <= sum(member.where is not None for member in self):
            return
        stuck = [m for m in self if m.where is None and now - m.asked > self._longest_wait]
        for member in stuck:
            self.remove(member)
        if stuck:
            self._longest_wait *= 2

    def shrink(self, drop: Callable[[Member], None]) -> None:
        """Take back what is asked for in vain, and ``drop`` those that are up and of no use.

        Those that had a job longest ago go first: nobody will miss what they hold.
        """
        waiting = [member for member in self if not member.joined]
        for member in waiting[: max(0, len(self.members) - self.target)]:
            self.remove(member)
        if self._too_many >= CALLS_BEFORE_LETTING_GO:
            self._too_many = 0
            idle = sorted((m for m in self.up if m.idle), key=lambda member: member.used)
            for member in idle[: len(self.members) - self.target]:
                drop(member)

    def remove(self, member: Member) -> None:
        """Stop it and forget it; its name is free."""
        if self.members.get(member.name) is member:
            del self.members[member.name]
        member.stop()

    def close(self) -> None:
        """Stop all of them, also where one of them cannot be stopped."""
        with ExitStack() as stack:
            for member in self:
                stack.callback(self.remove, member)

    def _free_name(self, taken: Collection[str]) -> str:
        used = {*self.members, *taken}
        return next(n for n in (f"worker-{i}" for i in count(1)) if n not in used)

    def _launch(self, name: str, now: float) -> None:
        actor = self._actor()
        # Sent at once, so that nobody has to come back for it; it waits for the actor to have
        # a machine.
        self.members[name] = Member(
            name, actor, actor.whereabouts.remote(), actor.prepare.remote(), now
        )

    def _actor(self) -> Any:
        options: dict[str, Any] = dict(self._plan.share.options())
        if self.avoid:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(sorted(self.avoid))})"}
        made = ray.remote(concurrency_groups={WATCH: 1})(self._class)
        return made.options(max_restarts=0, max_task_retries=0, **options).remote(self._kit)
