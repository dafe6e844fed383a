"""A cluster of several nodes on this machine, and workers that fail as they are told to."""

import ctypes
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.memory import with_room
from vaesearch.records import Arm, PullRequest, TrialSettings
from vaesearch.search.backends.base import Finished, Joined, Lost
from vaesearch.search.backends.ray.backend import RayBackend
from vaesearch.search.backends.ray.worker import Worker
from vaesearch.storage.probe import find

SETTINGS = TrialSettings("mlp", "mlp", latent_dim=2, width=0.05, batch_size=16)
PATH = {"PYTHONPATH": str(Path(__file__).parent)}  # where workers find this module


class Faulty(Worker):
    """Does to itself what the name of the arm says, but only the first time in its folder."""

    once = True

    def carry_out(self, job):
        fault = getattr(self, "_" + job.arm.name.partition("-")[0], None)
        mark = Path(self._kit.store.folder.address) / f"{job.arm.name}.mark"
        if fault and not (self.once and mark.exists()):
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(str(os.getpid()))
            fault(job)
        return super().carry_out(job)

    def _locks(self, job):
        ctypes.PyDLL(None).sleep(1000)  # in C, without giving up Python's lock

    def _sleeps(self, job):
        time.sleep(1000)

    def _waits(self, job):
        time.sleep(100)

    def _stops(self, job):
        os.kill(os.getpid(), signal.SIGSTOP)

    def _dies(self, job):
        os.kill(os.getpid(), signal.SIGKILL)

    def _breaks(self, job):
        raise RuntimeError("CUDA error: device-side assert triggered")

    def _lacks(self, job):
        if job.arm.settings.batch_size > 4:

            def work():
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

            with_room(work, self._bench.forget)


class Blind(Faulty):
    """Sees another storage on nodes whose environment says so."""

    def prepare(self):
        if os.environ.get("BLIND"):
            find(self._kit.store.folder.child("elsewhere"), self._kit.token, pause=lambda s: None)
        super().prepare()


class Unready(Faulty):
    """Does not come up."""

    def prepare(self):
        raise ValueError("no images today")


def images():
    arrays = [np.random.default_rng(i).integers(0, 256, (64, 1, 8, 8), np.uint8) for i in range(3)]
    return ImageData("noise", *arrays, pixels="8bit", fingerprint="")


def pull(name, number=0, epochs=1):
    return PullRequest(number, Arm(name, SETTINGS), 0, epochs)


@contextmanager
def ray_backend(folder, actor=Worker, **options):
    """A backend that is closed at the end."""
    made = type("Chosen", (RayBackend,), {"actor": actor})
    store = CheckpointStore(folder / "checkpoints")
    backend = made(images(), store, seed=0, reward="elbo", **{"most_workers": 4} | options)
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def cluster(**head):
    """A head on the loopback alone; add nodes to it with ``add_node``."""
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster()
    try:
        made.add_node(**{"num_cpus": 1, "include_dashboard": False} | NODE | head)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


NODE = {"node_ip_address": "127.0.0.1", "env_vars": PATH}


def until(backend, wanted, seconds=200.0):
    """Outcomes up to the first for which ``wanted`` holds."""
    seen = []
    deadline = time.monotonic() + seconds
    while not any(map(wanted, seen)):
        assert time.monotonic() < deadline, seen
        backend.want(4)
        seen += backend.wait(1.0)
    return seen


def kinds(outcomes):
    return [type(outcome).__name__ for outcome in outcomes]


def finished(outcome):
    return isinstance(outcome, Finished)


def joined(outcome):
    return isinstance(outcome, Joined)


def lost(outcome):
    return isinstance(outcome, Lost)
