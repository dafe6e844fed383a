"""The opening lines of arms, and where arms come from that join later."""

from vaesearch import catalogue
from vaesearch.config import Config, TuneConfig
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.events import ArmAdded
from vaesearch.models.checks import check_model
from vaesearch.models.cost import step_flops
from vaesearch.objectives import Loss
from vaesearch.records import Arm
from vaesearch.search.arms import ArmSource, opening_line
from vaesearch.space import Space
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


def admitted(arm: Arm, data: ImageData) -> ArmAdded:
    """The opening line of ``arm``; running it on meta tensors finds misfits for free.

    Raises:
        InputError: its parts cannot be made or do not fit the images.
    """
    parameters = check_model(arm.settings, data.shape)
    flops = step_flops(arm.settings, data.shape, Loss(arm.settings))
    return opening_line(arm, parameters, flops)


def make_source(config: Config, space: Space | None, data: ImageData) -> ArmSource | None:
    """What proposes arms, if the configuration is one of tuning.

    Raises:
        InputError: Optuna is missing.
    """
    if not isinstance(config, TuneConfig) or space is None:
        return None
    try:
        from vaesearch.search.tuning.source import TrialSource
    except ModuleNotFoundError as error:
        raise InputError(f"tuning needs {error.name}: pip install optuna") from error
    policy = catalogue.build("policies", config.policy)
    return TrialSource(config, space, policy, lambda arm: admitted(arm, data))
