"""Whether what a space names can be built for these images, tried before anything is written."""

from dataclasses import replace
from typing import Any

from vaesearch.compatibility import check_components
from vaesearch.config import Config, TuneConfig
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.models.checks import check_model
from vaesearch.objectives import Loss
from vaesearch.records import TrialSettings
from vaesearch.space import Space
from vaesearch.space.points import around, typical


def check_buildable(space: Space | None, config: Config, data: ImageData) -> None:
    """Refuse networks and values of which no trial could be made.

    Each parameter is tried at each of its choices, and at the ends of its range, the others at
    their defaults; models are run on meta tensors, which costs little.

    Args:
        space: to search, if any.
        config: resolved.
        data: to train on.

    Raises:
        InputError: says which value cannot be had, and why.
    """
    if space is None or not isinstance(config, TuneConfig):
        return
    first, *others = [config.settings(*pair) for pair in config.groups().values()]
    tried: set[TrialSettings] = set()
    for base in others:
        _try(base, space.options(typical(space, vars(base))), data, tried, base.decoder)
    for name, value, point in around(space, vars(first)):
        _try(first, space.options(point), data, tried, f"space: {name} {value}")


def _try(
    base: TrialSettings,
    options: dict[str, Any],
    data: ImageData,
    tried: set[TrialSettings],
    what: str,
) -> None:
    settings = replace(base, **options)
    # None of these has a part in what is built.
    alike = replace(settings, alpha=0.0, beta=1.0, learning_rate=1e-3, batch_size=2)
    if alike in tried:
        return
    tried.add(alike)
    try:
        check_components(settings, len(data.train))
        check_model(settings, data.shape)
        Loss(settings)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
