"""The opening lines of arms."""

from dataclasses import replace
from functools import lru_cache

from vaesearch.config import Config
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded
from vaesearch.models.checks import check_model
from vaesearch.models.cost import known_cost
from vaesearch.objectives import Loss
from vaesearch.records import Arm, TrialSettings
from vaesearch.search.arms import opening_line
from vaesearch.specs import folder_name


def arms_added(config: Config, data: ImageData) -> list[ArmAdded]:
    """The opening lines of the arms that are there from the start.

    Raises:
        InputError: one cannot be made, or two would share a folder.
    """
    added = []
    folders: dict[str, str] = {}
    for arm in config.arms():
        folder = folder_name(arm.name)
        if folder in folders:
            raise InputError(
                f"{folders[folder]} and {arm.name} would share the folder {folder}: rename one."
            )
        folders[folder] = arm.name
        try:
            added.append(admitted(arm, data))
        except InputError as error:
            raise InputError(f"{arm.name}: {error}") from error
    return added


def admitted(arm: Arm, data: ImageData, *, counted: bool = True) -> ArmAdded:
    """The opening line of ``arm``; running it on meta tensors finds misfits for free.

    Args:
        arm: a candidate.
        data: to train on.
        counted: whether FLOPs and memory are to be counted: a tenth of a second, which is an
            epoch of a small network, and trials are many.

    Raises:
        InputError: its parts cannot be made or do not fit the images.
    """
    loss = Loss(arm.settings)
    # Trials are many and alike; what an own module makes may change, so others are looked at anew.
    looked_at = check_model if counted else _parameters
    parameters = looked_at(_network(arm.settings), data.shape)
    cost = known_cost(arm.settings, data.shape, loss) if counted else None
    line = opening_line(arm, parameters, cost.step_flops if cost else None)
    return replace(line, memory=cost.memory if cost else None)


def _network(settings: TrialSettings) -> TrialSettings:
    """The same for all settings that make the same network."""
    return replace(settings, learning_rate=1.0, batch_size=2, alpha=0.0, beta=1.0)


@lru_cache(maxsize=1024)
def _parameters(settings: TrialSettings, shape: tuple[int, int, int]) -> int:
    return check_model(settings, shape)
