"""The last step of a search over ``gmm_components``: mixtures of the leading arms."""

from collections.abc import Callable

import torch

from vaesearch.compatibility import most_components
from vaesearch.config import Config
from vaesearch.data import ImageData
from vaesearch.errors import InputError, StorageError, VaesearchError
from vaesearch.mixtures.asking import Asked, values_of
from vaesearch.mixtures.found import Tuned
from vaesearch.mixtures.study import Workplace, study
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.search.tuning.findings import findings
from vaesearch.space import Choice, Int, Space
from vaesearch.trained import Checkpoint, find_checkpoint

LEADING = 3  # arms

Note = Callable[[str], None]


def check_components(space: Space, images: int, latent_dim: int) -> None:
    """Refuse numbers of components that no arm can have, before anything is trained.

    Args:
        space: to search; there is nothing to check if it names no ``gmm_components``.
        images: to train on.
        latent_dim: where the space does not say.

    Raises:
        InputError: they are no whole numbers of 1 or more, or the least is too many for the
            images.
    """
    if space.components is None:
        return
    values, _ = values_of(space.components)
    latent_dim = _least_latents(space, latent_dim)
    most = most_components(images, latent_dim)
    if values[0] > most:
        raise InputError(
            f"gmm_components begin at {values[0]}, and {images} training images can tell apart "
            f"{most} Gaussians of {latent_dim} latents at most."
        )


def _least_latents(space: Space, otherwise: int) -> int:
    for parameter in space.parameters:
        if parameter.name == "latent_dim":
            match parameter.domain:
                case Int(low):
                    return low
                case Choice(options):
                    return min(option for option in options if isinstance(option, int))
    fixed = space.constants.get("latent_dim", otherwise)
    return fixed if isinstance(fixed, int) else otherwise


def tune_leading(
    run_dir: RunDir, state: SearchState, config: Config, data: ImageData, note: Note
) -> list[Tuned]:
    """Tune the components for the leading arms, where the space of the search names any.

    What was fitted before the search was interrupted is found again. An arm without a mixture
    does not stop the search. More components than an arm's images can tell apart are left out.

    Args:
        run_dir: of the search, which this process holds; its arms are appraised.
        state: of the search, whose budget is spent.
        config: of the search.
        data: its images.
        note: told what was found for the best arm, and which arms have no mixture.

    Raises:
        StorageError: the disk is full or read-only.
    """
    domain = Space.from_dict(state.space).components if state.space else None
    if domain is None:
        return []
    values, log = values_of(domain)
    place = Workplace(run_dir, config, data, torch.device("cpu"), config.seed)
    tuned = []
    for found in leading(state):
        asked = Asked(values, log).clipped(len(data.train), found.arm.settings.latent_dim)
        if asked is None:
            note(f"{found.arm.name}: too few training images for {values[0]} Gaussians of codes.")
            continue
        try:
            tuned.append(study(place, found, asked))
        except StorageError:
            raise
        except VaesearchError as error:
            note(str(error))
    if tuned:
        note(tuned[0].sentence())
    return tuned


def leading(state: SearchState) -> list[Checkpoint]:
    """The best checkpoints of the best three arms by validation reward, and of the front."""
    found = findings(state)
    front = {found.trials[number].arm for number in found.front}
    sound = [
        name
        for name in state.ranking
        if state.arms[name].best is not None and state.history.arm(name).status != "failed"
    ]
    chosen = sound[:LEADING] + [name for name in sound[LEADING:] if name in front]
    return [find_checkpoint(state, name) for name in chosen]
