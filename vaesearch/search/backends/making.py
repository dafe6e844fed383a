"""From a configuration to workers; Ray is imported only where it is used."""

from collections.abc import Callable

import torch

from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import Config, TuneConfig
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.events import Event
from vaesearch.pull import Workbench
from vaesearch.search.backends.base import Backend
from vaesearch.search.backends.local import LocalBackend
from vaesearch.search.state import SearchState


def make_backend(
    config: Config,
    data: ImageData,
    store: CheckpointStore,
    *,
    arms: int,
    wanted: int | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Backend:
    """The backend that ``config`` names.

    Args:
        config: of the search.
        data: images for the workers.
        store: of the checkpoints.
        arms: how many there are or may be; more workers than that are of no use.
        wanted: workers that are of use from the start; by default one for each arm.
        note: told, in a line each, of machines that cannot be used.

    Raises:
        InputError: Ray is missing or cannot be reached, or has no room for the workers.
    """
    if config.backend == "local":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return LocalBackend(
            lambda: Workbench(
                data, store, seed=config.seed, reward=config.reward, device=device,
                consistency=wants_consistency(config),
            )
        )  # fmt: skip
    try:
        from vaesearch.search.backends.ray.backend import RayBackend
    except ModuleNotFoundError as error:
        raise InputError(
            f"--backend ray needs Ray ({error.name} is missing): pip install 'ray[default]', "
            "or use --backend local."
        ) from error
    return RayBackend(
        data,
        store,
        seed=config.seed,
        reward=config.reward,
        consistency=wants_consistency(config),
        most_workers=arms,
        wanted=wanted,
        workers=config.workers,
        gpus_per_worker=config.gpus_per_worker,
        hang_seconds=config.hang_seconds,
        address=config.address,
        note=note,
    )


def make_metrics(
    config: Config, backend: Backend, note: Callable[[str], None]
) -> list[Callable[[Event, SearchState], None]]:
    """Observers that show the search to whoever scrapes the cluster; none without Ray."""
    if config.backend == "local":
        return []
    from vaesearch.search.backends.ray.backend import RayBackend
    from vaesearch.search.backends.ray.metrics import Metrics

    if not isinstance(backend, RayBackend):
        return []
    unit = "negative bits/dim" if config.reward == "bpd" else config.reward
    return [Metrics(unit, lambda: backend.wanted, note)]


def wants_consistency(config: Config) -> bool:
    """Whether epochs have to report it: only where it is optimised, since it costs time."""
    return isinstance(config, TuneConfig) and "consistency" in config.objective
