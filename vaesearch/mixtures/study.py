"""The study of one checkpoint: fits are kept as they are made, and the best is adopted."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from vaesearch.config import Config
from vaesearch.data import ImageData
from vaesearch.errors import StorageError, VaesearchError
from vaesearch.mixtures.asking import Asked
from vaesearch.mixtures.fitting import Fitter
from vaesearch.mixtures.found import Tuned
from vaesearch.mixtures.outcome import adopt, is_adopted
from vaesearch.mixtures.pictured import PictureScore
from vaesearch.mixtures.planning import best_of, carry_out
from vaesearch.search.mixtures import (
    Basis,
    Chosen,
    Fit,
    merge_fits,
    read_mixtures,
)
from vaesearch.search.run_dir import RunDir
from vaesearch.trained import Checkpoint, load_checkpoint

# Without importing the package from inside.
_VERSION = str(sys.modules["vaesearch"].__version__)

Watch = Callable[[str, Fit], None]  # told an arm and a fit that was just made


@dataclass(frozen=True, eq=False)
class Workplace:
    """What the studies of one search share.

    Attributes:
        run_dir: of the search, which this process holds.
        config: of the search.
        data: its images.
        device: to encode and decode on.
        seed: of codes, fits and proposals.
        again: whether fits that were made before are made anew.
        pictures: scores pictures, where that is asked for.
        watch: told each new fit.
    """

    run_dir: RunDir
    config: Config
    data: ImageData
    device: torch.device
    seed: int
    again: bool = False
    pictures: PictureScore | None = None
    watch: Watch = lambda arm, fit: None


def study(place: Workplace, found: Checkpoint, asked: Asked) -> Tuned:
    """Tune the number of components for one checkpoint, and adopt the best mixture.

    Raises:
        VaesearchError: no mixture could be fitted.
        CheckpointError: the checkpoint is missing or damaged.
        StorageError: the disk is full or read-only.
    """
    run_dir, data, name = place.run_dir, place.data, found.arm.name
    codes = asked.codes(len(data.train), found.arm.settings.latent_dim)
    basis = Basis(found.digest, data.fingerprint, place.seed, codes, len(data.valid), _VERSION)
    before = read_mixtures(run_dir, name, found.epoch)
    fits = {} if place.again else {f.components: f for f in before.fits if f.basis == basis}
    made: list[int] = []

    def keep(fit: Fit) -> None:
        fits[fit.components] = fit
        made.append(fit.components)
        _merge(run_dir, found, fit)
        place.watch(name, fit)

    load = partial(load_checkpoint, run_dir, place.config, found, data, place.device)
    fitter = Fitter(load, data.train[:codes], data.valid, basis, place.pictures, fits.get, keep)
    touched: dict[int, Fit] = {}

    def make(components: int, pictured: bool) -> Fit:
        touched[components] = fitter.make(components, pictured)
        return touched[components]

    scored = carry_out(asked, place.seed, make)
    best = best_of(scored, asked.by)
    if best is None:
        causes = {fit.failed or f"no {asked.by}" for fit in scored.values()}
        raise VaesearchError(f"{name}: no mixture could be fitted ({'; '.join(sorted(causes))}).")
    chosen = Chosen(best[0], basis, asked.by, tuple(sorted(scored)), best[1])
    if chosen != before.chosen or made or not is_adopted(run_dir, found):
        adopt(run_dir, found, data, fitter, chosen, place.config.seed)
    shown = tuple(touched[value] for value in sorted(touched))
    path = run_dir.mixture(name, found.epoch)
    return Tuned(name, found.epoch, found.digest, path, shown, chosen, len(set(made)))


def _merge(run_dir: RunDir, found: Checkpoint, fit: Fit) -> None:
    try:
        merge_fits(run_dir, found.arm.name, found.epoch, [fit])
    except OSError as error:
        path = run_dir.mixture(found.arm.name, found.epoch)
        raise StorageError(f"cannot write {path}: {error.strerror}.") from error
