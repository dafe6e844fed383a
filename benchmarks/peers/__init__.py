"""Other people's schedulers on recorded curves, each through its own public interface."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

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
        abreast: whether all arms train side by side from the start, sharing the machine, as with
            fractions of a device per trial; otherwise one after another per worker.
    """

    name: str
    package: str
    module: str
    build: Build | None
    about: str
    abreast: bool = False

    @property
    def installed(self) -> bool:
        """Whether its package can be imported, with all that it needs itself."""
        return not self.module or _importable(self.module)

    def play(self, instance: Instance, epochs: int, seed: int, workers: int) -> Trace:
        """What it trains, with a budget of ``epochs``."""
        if self.build is None:
            return report_epsilon_greedy(instance, epochs, seed)
        side_by_side = instance.size if self.abreast else workers
        return drive(self.build(instance, seed), instance, epochs, side_by_side)


@cache
def _importable(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def _ray(make: Callable[..., object], **options: object) -> Build:
    return lambda instance, seed: RayTune(make(instance.cap, **options), instance.size)


def _optuna(name: str, **options: object) -> Build:
    return lambda i, seed: OptunaStudy(pruner(name, **options), i.size, i.cap, seed)


def _optuna_hyperband(instance: Instance, seed: int) -> Scheduler:
    chosen = pruner("HyperbandPruner", min_resource=1, max_resource=instance.cap)
    return OptunaStudy(chosen, instance.size, instance.cap, seed)


def _syne(**options: object) -> Build:
    return lambda i, seed: SyneTune(i.size, i.cap, seed, **options)


_RAY = ("ray[tune]", "ray.tune")
_OPTUNA = ("optuna", "optuna")
_SYNE = ("syne-tune", "syne_tune.optimizer.baselines")
_ETA = {"reduction_factor": 2}
_HALVING = "SuccessiveHalvingPruner"
_halving_from_start = _optuna(_HALVING, min_resource=1, **_ETA)
_TWO = "reduction factor 2"
_ABREAST = f"{_TWO}; all trials at once"
PEERS = (
    Peer("ray-asha", *_RAY, _ray(asha_scheduler), "reduction factor 4 (default)"),
    Peer("ray-asha-2", *_RAY, _ray(asha_scheduler, **_ETA), _TWO),
    Peer("ray-asha-2-abreast", *_RAY, _ray(asha_scheduler, **_ETA), _ABREAST, abreast=True),
    Peer("ray-hyperband", *_RAY, _ray(hyperband_scheduler), "reduction factor 3 (default)"),
    Peer("optuna-hyperband", *_OPTUNA, _optuna_hyperband, "reduction factor 3 (default)"),
    Peer("optuna-halving", *_OPTUNA, _optuna(_HALVING), "defaults: the first trial is whole"),
    Peer("optuna-halving-2", *_OPTUNA, _halving_from_start, f"{_TWO}, from the first epoch on"),
    Peer("optuna-halving-2-abreast", *_OPTUNA, _halving_from_start, _ABREAST, abreast=True),
    Peer("optuna-median", *_OPTUNA, _optuna("MedianPruner"), "defaults: 5 whole trials first"),
    Peer("optuna-median-1", *_OPTUNA, _optuna("MedianPruner", n_startup_trials=1),
         "1 whole trial first"),
    Peer("syne-tune-asha", *_SYNE, _syne(), "reduction factor 3 (default)"),
    Peer("syne-tune-asha-2", *_SYNE, _syne(**_ETA), _TWO),
    Peer("syne-tune-asha-2-abreast", *_SYNE, _syne(**_ETA), _ABREAST, abreast=True),
    Peer("report-epsilon-greedy", "", "", None, "per batch, ε = 0.3"),
)  # fmt: skip
