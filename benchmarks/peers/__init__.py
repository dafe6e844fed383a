"""Other people's schedulers on recorded curves, each through its own public interface."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from instances import Instance

from peers.drive import Scheduler, Trace, drive
from peers.optuna_pruners import OptunaStudy, pruner
from peers.ray_tune import RayTune, asha_scheduler, hyperband_scheduler
from peers.report import report_epsilon_greedy
from peers.syne_tune import SyneTune

Build = Callable[[Instance, int], Scheduler]


@dataclass(frozen=True)
class Peer:
    """A scheduler to compare with.

    Attributes:
        name: in the tables.
        package: what has to be installed; empty for none.
        module: to import from it.
        build: makes it for an instance and a seed; None for the report's, which has no trials.
        about: its settings.
    """

    name: str
    package: str
    module: str
    build: Build | None
    about: str

    @property
    def installed(self) -> bool:
        """Whether its package can be imported."""
        return not self.module or find_spec(self.module) is not None

    def play(self, instance: Instance, epochs: int, seed: int, workers: int) -> Trace:
        """What it trains, with a budget of ``epochs``."""
        if self.build is None:
            return report_epsilon_greedy(instance, epochs, seed)
        return drive(self.build(instance, seed), instance, epochs, workers)


def _ray(make: Callable[..., object], **options: object) -> Build:
    return lambda instance, seed: RayTune(make(instance.cap, **options), instance.size)


def _optuna(name: str, **options: object) -> Build:
    return lambda i, seed: OptunaStudy(pruner(name, **options), i.size, i.cap, seed)


def _optuna_hyperband(instance: Instance, seed: int) -> Scheduler:
    chosen = pruner("HyperbandPruner", min_resource=1, max_resource=instance.cap)
    return OptunaStudy(chosen, instance.size, instance.cap, seed)


def _syne(**options: object) -> Build:
    return lambda i, seed: SyneTune(i.size, i.cap, seed, **options)


_RAY = ("ray", "ray.tune")
_OPTUNA = ("optuna", "optuna")
_SYNE = ("syne-tune", "syne_tune")
_ETA = {"reduction_factor": 2}
_HALVING = "SuccessiveHalvingPruner"
PEERS = (
    Peer("ray-asha", *_RAY, _ray(asha_scheduler), "reduction factor 4 (default)"),
    Peer("ray-asha-2", *_RAY, _ray(asha_scheduler, **_ETA), "reduction factor 2"),
    Peer("ray-hyperband", *_RAY, _ray(hyperband_scheduler), "reduction factor 3 (default)"),
    Peer("optuna-hyperband", *_OPTUNA, _optuna_hyperband, "reduction factor 3 (default)"),
    Peer("optuna-halving", *_OPTUNA, _optuna(_HALVING), "defaults: the first trial is whole"),
    Peer("optuna-halving-2", *_OPTUNA, _optuna(_HALVING, min_resource=1, **_ETA),
         "reduction factor 2, from the first epoch on"),
    Peer("optuna-median", *_OPTUNA, _optuna("MedianPruner"), "defaults: 5 whole trials first"),
    Peer("optuna-median-1", *_OPTUNA, _optuna("MedianPruner", n_startup_trials=1),
         "1 whole trial first"),
    Peer("syne-tune-asha", *_SYNE, _syne(), "reduction factor 3 (default)"),
    Peer("syne-tune-asha-2", *_SYNE, _syne(**_ETA), "reduction factor 2"),
    Peer("report-epsilon-greedy", "", "", None, "per batch, ε = 0.3"),
)  # fmt: skip
