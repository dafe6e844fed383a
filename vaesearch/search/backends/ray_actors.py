"""Workers as Ray actors, each holding the images and a cache of arm states.

An actor is a worker (one CPU core or a fraction of a GPU), not an arm: going on with an arm it
holds costs nothing, taking over another one checkpoint read. Ray's own retries are off, so that an
epoch is never repeated behind the ledger's back; a lost actor is replaced here and reported.
"""

import logging
import os
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.errors import InputError, StorageError, VaesearchError
from vaesearch.pull import Workbench
from vaesearch.records import Appraisal, PullReport
from vaesearch.search.backends.base import Broken, Finished, Job, Lost, Outcome
from vaesearch.search.backends.local import carry_out

START_SECONDS = 180.0
CONNECT_SECONDS = 10.0
MOST_FALSE_STARTS = 3


class _Worker:
    """The actor: a workbench behind a name."""

    def __init__(
        self,
        data: ImageData,
        arrays: Sequence[Any],
        store: CheckpointStore,
        seed: int,
        reward: str,
        consistency: bool,
    ) -> None:
        train, valid, test = ray.get(list(arrays))
        device = "cuda" if ray.get_gpu_ids() else "cpu"
        self._bench = Workbench(
            replace(data, train=train, valid=valid, test=test),
            store,
            seed=seed,
            reward=reward,
            device=device,
            consistency=consistency,
        )

    def ready(self) -> None:
        """Returns once the images are in place."""

    def carry_out(self, job: Job) -> PullReport | Appraisal:
        """Do a job."""
        return carry_out(self._bench, job)


class RayBackend:
    """Starts ``workers`` actors on a cluster, or on one that it starts on this machine.

    Args:
        data: put into the object store once; every worker reads it from there.
        store: of the checkpoints; must be visible to every node.
        seed: of the search.
        reward: name of the reward.
        consistency: whether epochs are to report it.
        workers: how many; default one per GPU, or per CPU core where there is no GPU, but no more
            than ``most_workers``, since an arm has at most one pull in flight.
        most_workers: the number of arms.
        gpus_per_worker: fraction of a GPU for each.
        address: of a running cluster.

    Raises:
        InputError: nothing answers at ``address``, or the cluster is too small.
    """

    def __init__(
        self,
        data: ImageData,
        store: CheckpointStore,
        *,
        seed: int,
        reward: str,
        most_workers: int,
        consistency: bool = False,
        workers: int | None = None,
        gpus_per_worker: float | None = None,
        address: str | None = None,
    ) -> None:
        self._owns_ray = _connect(address, workers)
        self._actors: dict[str, Any] = {}
        self._starting: dict[Any, str] = {}
        self._flying: dict[Any, tuple[str, Job, float]] = {}  # with the time of submission
        self._false_starts = 0
        try:
            self._options, self.workers = _plan(workers, most_workers, gpus_per_worker)
            arrays = [ray.put(np.array(a)) for a in (data.train, data.valid, data.test)]
            empty = np.empty((0, *data.shape), np.uint8)
            described = replace(data, train=empty, valid=empty, test=empty)
            self._arguments = (described, arrays, store, seed, reward, consistency)
            for number in range(self.workers):
                self._launch(f"worker-{number + 1}")
            self._await_first()
        except BaseException:
            self.close()
            raise

    def want(self, workers: int) -> None:
        """Not followed yet: the number of workers is that of the start."""

    def idle(self) -> Sequence[str]:
        """Workers that are up and have no job."""
        if self._starting:
            ready, _ = ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)
            self._welcome(ready)
        busy = {worker for worker, *_ in self._flying.values()} | set(self._starting.values())
        return [name for name in self._actors if name not in busy]

    def submit(self, job: Job, worker: str) -> None:
        """Send the job."""
        reference = self._actors[worker].carry_out.remote(job)
        self._flying[reference] = (worker, job, self.now())

    def wait(self, timeout: float) -> Sequence[Outcome]:
        """Collect what has come back; a worker that comes up ends the waiting too."""
        references = [*self._flying, *self._starting]
        if not references:
            return ()
        ready, _ = ray.wait(references, num_returns=1, timeout=timeout)
        self._welcome(r for r in ready if r in self._starting)
        return [self._collect(r) for r in ready if r in self._flying]

    def now(self) -> float:
        """Seconds of a monotonic clock."""
        return time.monotonic()

    def close(self) -> None:
        """Kill the workers, and the cluster if it was started here."""
        for actor in self._actors.values():
            ray.kill(actor)
        if self._owns_ray:
            ray.shutdown()

    def _start(self) -> Any:
        actor = ray.remote(_Worker).options(max_restarts=0, max_task_retries=0, **self._options)
        return actor.remote(*self._arguments)

    def _launch(self, name: str) -> None:
        """Start a worker; it takes jobs from when it says that it is ready."""
        self._actors[name] = self._start()
        self._starting[self._actors[name].ready.remote()] = name

    def _welcome(self, ready: Iterable[Any]) -> None:
        """Workers that are up, or never will be: those are tried again, but not for ever."""
        for reference in ready:
            name = self._starting.pop(reference)
            try:
                ray.get(reference)
                self._false_starts = 0
            except RayError as error:
                self._false_starts += 1
                if self._false_starts > MOST_FALSE_STARTS:
                    raise VaesearchError(f"Ray workers cannot start: {error}") from error
                self._launch(name)

    def _collect(self, reference: Any) -> Outcome:
        worker, job, submitted = self._flying.pop(reference)
        try:
            result = ray.get(reference)
            return Finished(worker, job, result, self.now() - submitted)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, StorageError):
                raise StorageError(str(cause)) from None
            return Broken(worker, job, f"{type(cause).__name__}: {cause}")
        except RayActorError as error:
            self._launch(worker)
            return Lost(worker, job, str(error).strip().splitlines()[0])

    def _await_first(self) -> None:
        """One worker is enough to begin; a node that is still starting must not hold the rest."""
        deadline = time.monotonic() + START_SECONDS
        while not self.idle():
            if time.monotonic() > deadline:
                raise VaesearchError(
                    f"no Ray worker started within {START_SECONDS:.0f} s; the cluster has "
                    f"{ray.available_resources()} free, each worker needs {self._options}."
                )
            self.wait(1.0)


def _connect(address: str | None, workers: int | None) -> bool:
    """Join the cluster at ``address`` or start one here; True if it was started."""
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Workers beyond the cores are allowed when asked for: they then share them.
        cores = max(workers or 0, os.cpu_count() or 1)
        ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)
        return True
    _await_port(address)
    try:
        ray.init(address=address, **quiet)
    except (RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, str(error).strip().splitlines()[0]) from error
    return True


def _await_port(address: str) -> None:
    """Find out in seconds what Ray would take minutes to say: that nothing listens there."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return  # "auto" and the like
    try:
        socket.create_connection((host or "127.0.0.1", int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise _no_cluster(address, error.strerror or str(error)) from error


def _no_cluster(address: str, reason: str) -> InputError:
    return InputError(
        f"no Ray cluster answers at {address} ({reason}). Start one with `ray start --head`, "
        "or leave --address out to use this machine."
    )


def _plan(
    workers: int | None, most_workers: int, gpus_per_worker: float | None
) -> tuple[dict[str, float], int]:
    """Resources of one worker, and how many workers there shall be."""
    total = ray.cluster_resources()
    gpus = float(total.get("GPU", 0))
    if gpus_per_worker and not gpus:
        raise InputError("--gpus-per-worker was given, but the cluster has no GPU.")
    share = (gpus_per_worker or 1.0) if gpus else 0.0
    fitting = int(gpus / share) if share else int(total.get("CPU", 1))
    if workers is not None and workers > fitting:
        raise InputError(
            f"--workers {workers}: the cluster has room for {fitting} "
            f"({'GPU shares' if share else 'CPU cores'})."
        )
    return {"num_cpus": 1, "num_gpus": share}, workers or max(1, min(fitting, most_workers))
