"""What a worker takes, and how many of them fit on which machine: pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from vaesearch.errors import InputError


@dataclass(frozen=True)
class Machine:
    """A node of the cluster, or a kind of node that its autoscaler can start.

    Attributes:
        id: Ray's; empty for a kind.
        name: as a person would call it.
        alive: whether it is there.
        draining: whether it will be gone soon, such as a spot instance after its notice.
        address: host and port of Ray's daemon there.
    """

    cpus: float
    gpus: float
    id: str = ""
    name: str = ""
    alive: bool = True
    draining: bool = False
    address: tuple[str, int] = ("", 0)


@dataclass(frozen=True)
class Growth:
    """What an autoscaler could add: the kinds of machines, where Ray knows them."""

    possible: bool = False
    kinds: tuple[Machine, ...] = ()


@dataclass(frozen=True)
class Share:
    """What one worker takes of its machine."""

    gpus: float = 0.0
    cpus: float = 1.0

    def fitting(self, machine: Machine) -> int:
        """How many workers ``machine`` has room for.

        A fraction is always of one GPU: three workers of 0.3 fit on each, and none on the rest.
        """
        by_cpu = math.floor(machine.cpus / self.cpus)
        if not self.gpus:
            return by_cpu
        if self.gpus < 1:
            # 1 / 0.1 may be a little less than 10 in binary.
            by_gpu = math.floor(machine.gpus) * math.floor(1 / self.gpus + 1e-9)
        else:
            by_gpu = math.floor(machine.gpus / self.gpus)
        return min(by_cpu, by_gpu)

    def room(self, machines: Sequence[Machine]) -> int:
        """How many workers fit on the machines that are there to stay."""
        return sum(self.fitting(m) for m in machines if m.alive and not m.draining)

    def options(self) -> dict[str, float]:
        """As Ray's options of an actor."""
        return {"num_cpus": self.cpus, "num_gpus": self.gpus}

    def __str__(self) -> str:
        gpus = f" and {self.gpus:g} GPU" if self.gpus else ""
        return f"{self.cpus:g} CPU{gpus}"


@dataclass(frozen=True)
class Plan:
    """How many workers there may be.

    Attributes:
        share: of each.
        ceiling: the most; more are never asked for.
        fixed: none is asked for beyond the ceiling's room, since this machine cannot grow.
    """

    share: Share
    ceiling: int
    fixed: bool = False
    growth: Growth = field(default_factory=Growth)


def plan(
    machines: Sequence[Machine],
    growth: Growth,
    *,
    workers: int | None,
    most: int,
    gpus_per_worker: float | None,
    own: bool,
) -> Plan:
    """How many workers, with what share of their machines.

    Args:
        machines: of the cluster.
        growth: what may join by itself.
        workers: the most that the user wants; by default as many as are of use.
        most: how many can be of use: arms that there are or may be.
        gpus_per_worker: that the user wants; a whole GPU by default, if there is any.
        own: the cluster is this machine alone and cannot grow. Elsewhere ``workers`` is a
            ceiling: machines may join later, by an autoscaler or by hand.

    Raises:
        InputError: no machine could ever hold a worker; or this machine cannot hold so many.
    """
    share = _share([*machines, *growth.kinds], growth, gpus_per_worker)
    room = share.room(machines)
    if own:
        if workers is not None and workers > room:
            raise InputError(
                f"--workers {workers}: this machine has room for {room} of {share} each.\n"
                f"Give --workers {max(1, room)}, or join a cluster with --address."
            )
        return Plan(share, workers or max(1, min(room, most)), fixed=True)
    if not room and not growth.possible and machines:
        _refuse_too_large(machines, share)
    return Plan(share, workers or most, growth=growth)


def _share(machines: Sequence[Machine], growth: Growth, gpus_per_worker: float | None) -> Share:
    most_gpus = max((m.gpus for m in machines), default=0.0)
    if gpus_per_worker is None:
        return Share(gpus=1.0 if most_gpus else 0.0)
    if gpus_per_worker > 1 and gpus_per_worker != int(gpus_per_worker):
        raise InputError(
            f"--gpus-per-worker {gpus_per_worker:g}: above 1 only whole GPUs can be given.\n"
            f"Use {math.floor(gpus_per_worker)} or {math.ceil(gpus_per_worker)}, or a fraction "
            "below 1 for several workers on one GPU."
        )
    unknown = growth.possible and not growth.kinds
    if not most_gpus and not unknown:
        raise InputError(
            f"--gpus-per-worker {gpus_per_worker:g}: no machine of the cluster has a GPU.\n"
            "Leave the option out, or add machines with GPUs (`ray start --num-gpus`)."
        )
    if gpus_per_worker > most_gpus and not unknown:
        raise InputError(
            f"--gpus-per-worker {gpus_per_worker:g}: no machine of the cluster has more than "
            f"{most_gpus:g}.\nGive --gpus-per-worker {most_gpus:g} or less."
        )
    return Share(gpus=gpus_per_worker)


def _refuse_too_large(machines: Sequence[Machine], share: Share) -> None:
    """A cluster whose machines hold no worker, unless it is only its head that is there yet."""
    if share.gpus and any(m.gpus >= share.gpus for m in machines):
        raise InputError(
            f"a worker takes {share}, and no machine of the cluster with a GPU has a CPU.\n"
            "Start its nodes with --num-cpus of at least the number of workers on them."
        )
