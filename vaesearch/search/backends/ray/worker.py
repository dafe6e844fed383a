"""The actor: a workbench behind a name, and a second thread that says whether it moves."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import ray
import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.data import ImageData
from vaesearch.pull import Workbench
from vaesearch.records import Appraisal, PullReport
from vaesearch.search.backends.base import Job
from vaesearch.search.backends.local import carry_out
from vaesearch.storage.probe import find

WATCH = "watch"  # the group of calls that are answered while a job runs


@dataclass(frozen=True)
class Whereabouts:
    """Where a worker is: Ray's node, the host's name, its process, its device."""

    node: str
    host: str
    pid: int
    device: str


@dataclass(frozen=True)
class Kit:
    """What every worker is given.

    Attributes:
        data: without images.
        arrays: references to the images, which the driver put into its machine's object store. A
            machine that joins later fetches them from there.
        token: left in the storage, for the worker to find; None where there is but one machine.
    """

    data: ImageData
    arrays: Sequence[Any]
    store: CheckpointStore
    seed: int
    reward: str
    consistency: bool
    token: str | None = None


def make_kit(
    data: ImageData,
    store: CheckpointStore,
    seed: int,
    reward: str,
    consistency: bool,
    token: str | None,
) -> Kit:
    """The images go into the object store of this machine, once."""
    arrays = [ray.put(np.array(images)) for images in (data.train, data.valid, data.test)]
    empty = np.empty((0, *data.shape), np.uint8)
    described = replace(data, train=empty, valid=empty, test=empty)
    return Kit(described, arrays, store, seed, reward, consistency, token)


class Worker:
    """Made in an instant; :meth:`prepare` does what takes time, so that it can be watched."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._steps = 0
        self._bench: Workbench | None = None

    def prepare(self) -> None:
        """Look at the storage and bring the images into place.

        Raises:
            StorageError: this machine does not see the storage of the driver.
        """
        kit = self._kit
        if kit.token is not None:
            find(kit.store.folder, kit.token)
        keep_to_share()
        train, valid, test = ray.get(list(kit.arrays))
        self._bench = Workbench(
            replace(kit.data, train=train, valid=valid, test=test),
            kit.store,
            seed=kit.seed,
            reward=kit.reward,
            device=_device(),
            consistency=kit.consistency,
            on_step=self._step,
        )

    def carry_out(self, job: Job) -> PullReport | Appraisal:
        """Do a job."""
        if self._bench is None:
            raise RuntimeError("a worker was given a job before it was ready")
        return carry_out(self._bench, job)

    @ray.method(concurrency_group=WATCH)  # type: ignore[untyped-decorator]
    def beat(self) -> int:
        """How many steps it has made."""
        return self._steps

    @ray.method(concurrency_group=WATCH)  # type: ignore[untyped-decorator]
    def whereabouts(self) -> Whereabouts:
        """Where it is."""
        node = ray.get_runtime_context().get_node_id()
        return Whereabouts(node, socket.gethostname(), os.getpid(), _device_name())

    def _step(self) -> None:
        self._steps += 1


def keep_to_share() -> None:
    """Use no more of a GPU's memory than this worker's part of the GPU.

    Otherwise it would depend on the neighbours of the moment whether an arm is too large.
    """
    if _device() == "cuda":
        share = ray.get_runtime_context().get_assigned_resources().get("GPU", 1.0)
        if share < 1:
            torch.cuda.set_per_process_memory_fraction(share)


def _device() -> str:
    return "cuda" if ray.get_gpu_ids() and torch.cuda.is_available() else "cpu"


def _device_name() -> str:
    gpus = ",".join(map(str, ray.get_gpu_ids()))
    if _device() == "cpu":
        # Such as a torch without CUDA on one of the machines: slow, and no error.
        return f"cpu, though Ray gave it GPU {gpus}" if gpus else "cpu"
    return f"cuda:{gpus} {torch.cuda.get_device_name()}"
