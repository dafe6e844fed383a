"""What a run directory keeps of mixtures: a JSON file for each checkpoint, and the chosen one.

Every finished fit is merged into the file under a lock, so a kill loses only the one under way.
The file is also the cache: a fit is found again by the number of components and all that it
follows from. Free of torch, for reports read it too.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vaesearch.errors import RunDirError
from vaesearch.records import Estimate
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import ArmState, SearchState

FORMAT = 1


@dataclass(frozen=True)
class Basis:
    """All that a fit of so many components follows from.

    Attributes:
        digest: SHA-256 of the checkpoint.
        data: fingerprint of the images.
        seed: of the codes and of the fit.
        codes: of training images, that mixtures are fitted to.
        held_out: codes of validation images, that mixtures are scored on.
        version: of vaesearch.
    """

    digest: str
    data: str
    seed: int
    codes: int
    held_out: int
    version: str


@dataclass(frozen=True)
class Fit:
    """One mixture: how well it fits.

    Attributes:
        components: M.
        basis: what it follows from beside that.
        figures: ``loglik`` and ``train_loglik`` in nats per image, ``bic``, ``aggregate_kl`` in
            nats and, where it was asked for, ``fid``.
        pictures: what ``fid`` follows from beside that; empty where there is none.
        failed: why there is no mixture; empty if there is one.
        iterations: of EM.
        converged: whether these were enough.
        seconds: that the fit and its figures took.
        time: when it was finished, Unix time in seconds.
    """

    components: int
    basis: Basis
    figures: dict[str, Estimate] = field(default_factory=dict)
    pictures: dict[str, Any] = field(default_factory=dict)
    failed: str = ""
    iterations: int = 0
    converged: bool = True
    seconds: float = 0.0
    time: float = 0.0


@dataclass(frozen=True)
class Chosen:
    """The mixture that a study ended with; the model of the run directory carries it.

    Attributes:
        components: M.
        basis: of its fit.
        by: the score that it is the best by.
        among: all M that were scored, in rising order.
        smallest: the least M whose score is within one standard error of the best; None where
            the score has no error.
    """

    components: int
    basis: Basis
    by: str
    among: tuple[int, ...]
    smallest: int | None = None


@dataclass(frozen=True)
class Mixtures:
    """What is known of the mixtures of one checkpoint."""

    arm: str
    epoch: int
    fits: tuple[Fit, ...] = ()
    chosen: Chosen | None = None

    def find(self, components: int, basis: Basis) -> Fit | None:
        """The fit, if it was made before."""
        same = (f for f in self.fits if (f.components, f.basis) == (components, basis))
        return next(same, None)


def read_mixtures(run_dir: RunDir, arm: str, epoch: int) -> Mixtures:
    """What the file of a checkpoint has; nothing where there is none.

    Raises:
        RunDirError: it is damaged, or was written by a newer version.
    """
    path = run_dir.mixture(arm, epoch)
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Mixtures(arm, epoch)
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    try:
        return mixtures_from(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error


def mixtures_from(content: dict[str, Any]) -> Mixtures:
    """What the content of a file says; KeyError, TypeError or ValueError if it is damaged."""
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}, not {FORMAT}")
    fits = tuple(map(_fit, content["fits"]))
    chosen = content["chosen"]
    if chosen is not None:
        basis, among = Basis(**chosen["basis"]), tuple(chosen["among"])
        chosen = Chosen(**chosen | {"basis": basis, "among": among})
    return Mixtures(str(content["arm"]), int(content["epoch"]), fits, chosen)


def _fit(content: dict[str, Any]) -> Fit:
    figures = {name: Estimate(**figure) for name, figure in content["figures"].items()}
    return Fit(**content | {"basis": Basis(**content["basis"]), "figures": figures})


def _damaged(path: Path, error: Exception) -> RunDirError:
    reason = " ".join(str(error).split())
    return RunDirError(
        f"{path} is damaged ({type(error).__name__}: {reason}).\n"
        "Move it away and fit again; it is not overwritten."
    )


def merge_fits(
    run_dir: RunDir, arm: str, epoch: int, new: Iterable[Fit], chosen: Chosen | None = None
) -> None:
    """Add fits to the file, each in the place of an older one of the same, and the choice.

    Raises:
        RunDirError: the file is damaged; it stays as it is.
        OSError: it cannot be written; it stays as it is.
    """
    from vaesearch.search.evaluations import finite, locked
    from vaesearch.storage.local import write_atomically  # with torch, which readers do without

    path = run_dir.mixture(arm, epoch)
    path.parent.mkdir(exist_ok=True)
    with locked(path.parent / ".lock"):
        known = read_mixtures(run_dir, arm, epoch)
        fits = list(known.fits)
        for fit in new:
            same = (fit.components, fit.basis)
            fits = [f for f in fits if (f.components, f.basis) != same] + [fit]
        kept = replace(known, fits=tuple(fits), chosen=chosen or known.chosen)
        content = finite({"format": FORMAT} | asdict(kept))
        write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())


def best_components(run_dir: RunDir, arm: ArmState) -> int | None:
    """How many Gaussians suit the codes of the arm's best checkpoint; None if nobody asked.

    Raises:
        RunDirError: the file that says so is damaged.
    """
    if arm.best is None:
        return None
    epoch = arm.best.epoch
    chosen = read_mixtures(run_dir, arm.arm.name, epoch).chosen
    fits = chosen is not None and chosen.basis.digest == arm.checkpoints.get(epoch)
    return chosen.components if chosen and fits else None


def with_components(
    run_dir: RunDir, state: SearchState, content: dict[str, Any]
) -> dict[str, Any]:
    """What ``results.json`` says, with ``gmm_components`` of the arms whose mixtures were tuned.

    Raises:
        RunDirError: a file that says so is damaged.
    """
    arms = []
    for arm in content["arms"]:
        components = best_components(run_dir, state.arms[arm["name"]])
        arms.append(arm if components is None else arm | {"gmm_components": components})
    return content | {"arms": arms}


def save_parameters(
    run_dir: RunDir, arm: str, epoch: int, digest: str, parameters: dict[str, np.ndarray]
) -> None:
    """Keep the chosen mixture: weights ``[M]``, means ``[M, D]``, covariances ``[M, D, D]``.

    Raises:
        OSError: it cannot be written.
    """
    from vaesearch.storage.local import write_atomically

    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, digest=np.array(digest), **parameters)
    write_atomically(run_dir.mixture(arm, epoch).with_suffix(".npz"), content.getvalue())


def load_parameters(
    run_dir: RunDir, arm: str, epoch: int, digest: str
) -> dict[str, np.ndarray] | None:
    """The mixture that was chosen for the checkpoint of that digest, if one was.

    Raises:
        RunDirError: its file is damaged.
    """
    path = run_dir.mixture(arm, epoch).with_suffix(".npz")
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["digest"]) != digest:
                return None
            return {name: stored[name] for name in ("weights", "means", "covariances")}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunDirError(f"{path} is damaged: move it away and fit again.") from error
