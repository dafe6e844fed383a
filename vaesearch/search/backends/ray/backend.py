"""The backend: hands jobs to the pool, and says what became of them and of the workers."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.errors import OutOfMemoryError, StorageError
from vaesearch.records import PullReport
from vaesearch.search.backends.base import Broken, Finished, Job, Joined, Left, Lost, Outcome
from vaesearch.search.backends.ray.connecting import connect, reachable
from vaesearch.search.backends.ray.fleet import Fleet
from vaesearch.search.backends.ray.losing import (
    DOUBT_SECONDS,
    Doubts,
    is_blameless,
    is_broken_for_good,
    why,
)
from vaesearch.search.backends.ray.member import Member
from vaesearch.search.backends.ray.planning import plan
from vaesearch.search.backends.ray.pool import Pool
from vaesearch.search.backends.ray.starting import TICK_SECONDS, Hope, await_first
from vaesearch.search.backends.ray.watching import Patience, storage_seconds
from vaesearch.search.backends.ray.worker import Worker, make_kit
from vaesearch.storage.probe import clear, leave


class RayBackend:
    """Runs jobs on actors of a cluster, or of one that it starts on this machine.

    Args:
        data: put into the object store once; every worker reads it from there.
        store: of the checkpoints; must be visible to every node.
        seed: of the search.
        reward: name of the reward.
        consistency: whether epochs are to report it.
        workers: the most; default one per GPU, or per CPU core where there is no GPU.
        most_workers: the number of arms that there are or may be.
        wanted: how many of them are of use from the start; by default all.
        gpus_per_worker: what each takes; fractions share a GPU.
        hang_seconds: how long a worker may go without a step; see
            :class:`~vaesearch.search.backends.ray.watching.Patience`.
        address: of a running cluster.
        note: told, in a line each, of machines that cannot be used.

    Attributes:
        actor: what workers are.

    Raises:
        InputError: nothing that can be used answers at ``address``, the cluster can hold no such
            worker, or none of its machines sees the storage.
    """

    actor: type[Worker] = Worker

    def __init__(
        self,
        data: ImageData,
        store: CheckpointStore,
        *,
        seed: int,
        reward: str,
        most_workers: int,
        wanted: int | None = None,
        consistency: bool = False,
        workers: int | None = None,
        gpus_per_worker: float | None = None,
        hang_seconds: float | None = None,
        address: str | None = None,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._own = connect(address, workers)
        self._news: list[Outcome] = []
        self._doubts = Doubts()
        self._patience = Patience(hang_seconds, least=storage_seconds(store.folder))
        self._listened = self.now()
        self._store, self._token = store, ""
        self._pool: Pool | None = None
        try:
            fleet = Fleet(note)
            self._plan = plan(
                fleet.machines, fleet.growth,
                workers=workers, most=most_workers, gpus_per_worker=gpus_per_worker, own=self._own,
            )  # fmt: skip
            self._fleet, self._hope = fleet, Hope(self._plan)
            self._token = "" if self._own else leave(store.folder)
            kit = make_kit(data, store, seed, reward, consistency, self._token or None)
            self._pool = Pool(self._plan, kit, self.actor)
            self._pool.want(most_workers if wanted is None else min(most_workers, wanted))
            seen = await_first(self.wait, self.now, self._pool, fleet, self._plan)
            self._news = [*seen, *self._news]
        except BaseException:
            self.close()
            raise

    @property
    def pool(self) -> Pool:
        """The workers."""
        if self._pool is None:
            raise RuntimeError("the backend is closed")
        return self._pool

    @property
    def workers(self) -> int:
        """How many the machines that are there have room for, or all that may be."""
        if self._plan.fixed:
            return self._plan.ceiling
        return max(1, min(self._plan.ceiling, max(self._room, len(self.pool.up))))

    @property
    def _room(self) -> int:
        return self._plan.share.room(self._fleet.usable(self.pool.avoid))

    @property
    def wanted(self) -> int:
        """How many are asked for."""
        return self.pool.target

    def want(self, workers: int) -> None:
        """Ask for machines up to that number, and let go who is of no use for a while."""
        self.pool.want(workers)

    def idle(self) -> Sequence[str]:
        """Workers that are up, have no job, and are on machines that will stay."""
        return [m.name for m in self.pool if m.idle and not self._fleet.leaving(m.node)]

    @reachable()
    def submit(self, job: Job, worker: str) -> None:
        """Send the job."""
        self.pool.members[worker].given(job, self.pool.number(), self.now())

    @reachable()
    def wait(self, timeout: float) -> Sequence[Outcome]:
        """Collect what has come back, who came, and who is gone."""
        deadline = self.now() + timeout
        while True:
            self._look()
            news, self._news = self._news, []
            now = self.now()
            awaited = [r for member in self.pool for r in member.awaited()]
            in_vain = not (awaited or self._doubts or self._hope.resting(now))
            if news or now >= deadline or in_vain:
                return news
            self._sleep(awaited, min(deadline - now, TICK_SECONDS))

    def now(self) -> float:
        """Seconds of a monotonic clock."""
        return time.monotonic()

    @reachable()
    def close(self) -> None:
        """Kill the workers, and the cluster if it was started here; a second time does nothing."""
        token, self._token = self._token, ""
        with ExitStack() as stack:  # from the last to the first, whatever fails on the way
            if self._own and ray.is_initialized():
                stack.callback(ray.shutdown)
            if token:
                stack.callback(clear, self._store.folder, token)
            if self._pool is not None:
                stack.callback(self._pool.close)

    # --- looking ---

    def _sleep(self, awaited: list[Any], seconds: float) -> None:
        """Until something is ready; where nothing can be, for a part of a tick."""
        if awaited:
            ray.wait(awaited, num_returns=1, timeout=seconds)
        else:
            time.sleep(min(seconds, DOUBT_SECONDS / 10))

    def _look(self) -> None:
        """Take note of all that has happened; waits for nothing."""
        now = self.now()
        self._excuse(now)
        awaited = {r: member for member in self.pool for r in member.awaited()}
        if awaited:
            ready, _ = ray.wait(list(awaited), num_returns=len(awaited), timeout=0)
            for reference in ready:
                self._receive(awaited[reference], reference, now)
        for member in self.pool:
            self._listen(member, now)
        self._fleet.look(now)
        self._news += self._doubts.settled(now, self._fleet.machine, self._fleet.unreached)
        self._leave_machines()
        self._hope.check(self.pool, self._fleet)
        self.pool.shrink(lambda m: self._let_go(m, "no arm is left for it"))
        if not self._hope.resting(now):
            self.pool.replace_stuck(now, self._room)
            self.pool.fill(now, self._doubts.names)

    def _excuse(self, now: float) -> None:
        """A driver that was stopped itself, or had to wait for its storage, blames nobody."""
        deaf = now - self._listened - self._patience.between_beats
        self._listened = now
        if deaf > 0:
            for member in self.pool:
                member.excuse(deaf)

    def _receive(self, member: Member, reference: Any, now: float) -> None:
        try:
            result = ray.get(reference)
        except RayTaskError as error:
            self._raised(member, error.cause)
            return
        except RayError as error:
            self._gone(member, error, now)
            return
        if member.where is None:
            member.placed(result, now)
        elif not member.joined:
            member.joined = self._hope.had = True
            self._fleet.started(member.node)
            where = self._fleet.name(member.node)
            self._news.append(Joined(member.name, where, member.where.device))
        else:
            submitted, job = member.submitted, member.done()
            if isinstance(result, PullReport):
                for epoch in result.epochs:
                    self._patience.saw(epoch.seconds)
            self._news.append(Finished(member.name, job, result, now - submitted))  # type: ignore[arg-type]

    def _raised(self, member: Member, cause: BaseException) -> None:
        """A job, or the start of a worker, ended in an error of ours."""
        text = f"{type(cause).__name__}: {cause}"
        if not member.joined:
            blind = isinstance(cause, StorageError)  # it has looked several times
            self._false_start(member, str(cause) if blind else text, for_good=blind)
            return
        job = member.done()
        if isinstance(cause, StorageError):
            raise StorageError(str(cause)) from None
        lacked = isinstance(cause, OutOfMemoryError)
        if not lacked and is_broken_for_good(text):
            self.pool.remove(member)
            self._news.append(Lost(member.name, job, text))
            return
        self._news.append(Broken(member.name, job, text, lacked))  # type: ignore[arg-type]

    def _listen(self, member: Member, now: float) -> None:
        try:
            patience = self._patience if member.joined else self._patience.of_start()
            complaint = member.listen(patience, now)
        except RayError as error:
            self._gone(member, error, now)
            return
        if complaint and member.joined:
            self.pool.remove(member)
            self._news.append(Lost(member.name, member.done(), complaint))
        elif complaint:
            self._false_start(member, complaint)

    # --- losing ---

    def _gone(self, member: Member, cause: RayError, now: float) -> None:
        """A worker is dead; what it was doing is in doubt until its machine is known to stay."""
        self.pool.remove(member)
        if isinstance(cause, ActorUnavailableError):
            self._fleet.unreached(member.node)
        machine, error = self._fleet.machine(member.node), str(cause)
        if not member.joined:
            if not is_blameless(error, machine):
                node = member.node or self._fleet.node_in(error)
                self._false_start(member, why(error, machine)[0], node=node)
            return
        text, blameless = why(error, machine)
        lost = Lost(member.name, member.done(), text, blameless)
        self._doubts.add(lost, member.node, error, now)

    def _leave_machines(self) -> None:
        """Nobody stays idle on a machine that was told to go."""
        for member in self.pool:
            if member.idle and self._fleet.leaving(member.node):
                self._let_go(member, f"{self._fleet.name(member.node)} is about to go away")

    def _let_go(self, member: Member, reason: str) -> None:
        self.pool.remove(member)
        self._news.append(Left(member.name, reason))

    def _false_start(
        self, member: Member, reason: str, *, node: str | None = None, for_good: bool = False
    ) -> None:
        """A worker did not come up: tried again, but not for ever on one machine."""
        self.pool.remove(member)
        node = member.node if node is None else node
        given_up = self._fleet.failed(node, reason, for_good=for_good)
        self._hope.failed(node, reason, self.now(), self.pool, given_up=given_up)
