"""Tune the number of components for arms of a finished search."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from vaesearch.assessment.picking import ALL, pick
from vaesearch.checkpoints import CheckpointStore
from vaesearch.config import Config
from vaesearch.data import ImageData
from vaesearch.errors import CheckpointError, RunDirError, VaesearchError
from vaesearch.mixtures.asking import HIGHEST, Asked, read_values
from vaesearch.mixtures.found import Tuned
from vaesearch.mixtures.outcome import note_results
from vaesearch.mixtures.pictured import PictureScore
from vaesearch.mixtures.study import Watch, Workplace, study
from vaesearch.search.opening import open_run
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.tracking import core
from vaesearch.trained import Checkpoint, config_of, find_device, load_images, read_state

Note = Callable[[str], None]


def tune_mixtures(
    path: Path | str,
    components: str | Sequence[int] | None = None,
    *,
    by: str = "loglik",
    arms: str | Iterable[str] | None = None,
    seed: int | None = None,
    again: bool = False,
    device: str = "cpu",
    data_dir: str | None = None,
    send: bool = True,
    watch: Watch = lambda arm, fit: None,
    note: Note = lambda text: None,
    **more: int | str | None,
) -> list[Tuned]:
    """Find how many Gaussians suit the codes of trained models, and give each model its best.

    For example ``tune_mixtures("runs/first", "1..64:log")[0].chosen.components``. Nothing is
    trained again; a fit that was made before is found in the run directory.

    Args:
        path: the directory of a finished search.
        components: numbers to try: ``1..64:log``, ``1..9``, ``1,2,5`` or numbers; by default 1 to
            64, or as many as there are images for.
        by: the score: ``loglik``, the mean log-density of codes of validation images; ``fid``,
            the distance of pictures; or ``bic``.
        arms: one name or several, or ``all``; by default the best arm.
        seed: of codes and fits; by default that of the search.
        again: fit what was fitted before, too.
        device: to encode and decode on.
        data_dir: where the images are now, if not where the search had them.
        send: what was found to MLflow, where the search is.
        watch: told each new fit.
        note: told, in a line each, what was left out and what MLflow lacks.
        more: ``trials``, ``samples``, ``extractor`` and ``images``, as of :class:`Asked`.

    Raises:
        InputError: something that was asked for cannot be had; nothing was fitted.
        RunDirError: not the directory of a finished search, it is in use, or its images changed.
        CheckpointError: a checkpoint is missing or damaged.
        VaesearchError: no mixture could be fitted.
    """
    run_dir, where = open_run(path), find_device(device)
    settings = {name: value for name, value in more.items() if value is not None}
    asked = _asked(components, by, settings)
    _finished(run_dir, read_state(run_dir))
    run_dir.lock()
    try:
        state = read_state(run_dir)  # now that nobody goes on with it
        _finished(run_dir, state)
        config, data = config_of(run_dir, state), load_images(run_dir, state, data_dir)
        wanted = None if arms is None else [arms] if isinstance(arms, str) else list(arms)
        checkpoints = _kept(run_dir, pick(state, wanted, "best", note), wanted, note)
        plans = [(found, _fitting(asked, found, data, components)) for found in checkpoints]
        seed = config.seed if seed is None else seed
        pictures = None
        if by == "fid":
            pictures = PictureScore(data, asked.extractor, asked.samples, seed, where)
        place = Workplace(run_dir, config, data, where, seed, again, pictures, watch)
        tuned = [study(place, found, plan) for found, plan in plans]
        note_results(run_dir, state)
    finally:
        run_dir.unlock()
    if send:
        publish(run_dir, config, note)
    return tuned


def publish(run_dir: RunDir, config: Config, note: Note) -> None:
    """Send all mixtures that MLflow lacks, and wait for it; a failure is told in a line."""
    try:
        core.send_evaluations(run_dir, config.tracking_uri, config.experiment)
        run_dir.put()
    except (VaesearchError, OSError) as error:
        command = f"vaesearch sync {shlex.quote(run_dir.address)}"
        note(f"Not in MLflow yet: {str(error).rstrip('.')}; `{command}` sends it.")


def _asked(
    components: str | Sequence[int] | None, by: str, settings: dict[str, int | str]
) -> Asked:
    if components is None:
        values, log = tuple(range(1, HIGHEST + 1)), True
    else:
        text = components if isinstance(components, str) else ",".join(map(str, components))
        values, log = read_values(text)
    return Asked(values, log, by, **settings)  # type: ignore[arg-type]


def _fitting(
    asked: Asked, found: Checkpoint, data: ImageData, given: str | Sequence[int] | None
) -> Asked:
    """What is asked of one arm; a range that nobody gave ends where the images do."""
    images, dims = len(data.train), found.arm.settings.latent_dim
    if given is None:
        return asked.clipped(images, dims) or replace(asked, values=(1,))
    asked.check(found.arm.name, images, dims)
    return asked


def _kept(
    run_dir: RunDir, found: list[Checkpoint], wanted: list[str] | None, note: Note
) -> list[Checkpoint]:
    """Those whose files are there: a tuned search keeps no checkpoints of trials far behind."""
    store = CheckpointStore(run_dir.checkpoints)
    gone = [c for c in found if not store.has(c.arm.name, c.epoch, c.digest)]
    left = [c for c in found if c not in gone]
    if gone and (not left or ALL not in (wanted or ())):
        missing = store.address(gone[0].arm.name, gone[0].epoch, gone[0].digest)
        raise CheckpointError(f"{gone[0].arm.name} has no checkpoint any more: {missing}.")
    for checkpoint in gone:
        note(f"Left out: {checkpoint.arm.name} has no checkpoint any more.")
    return left


def _finished(run_dir: RunDir, state: SearchState) -> None:
    """Refuse a search whose best checkpoints may still change, and whose models are not there."""
    if state.finished is None:
        command = f"vaesearch resume {shlex.quote(run_dir.address)}"
        raise RunDirError(f"{run_dir.address} is not finished: `{command}` goes on with it.")
