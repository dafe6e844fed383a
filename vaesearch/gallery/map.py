"""Where images lie in the space of latents."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vaesearch.arguments import whole
from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation.drift import Drift, drift
from vaesearch.evaluation.estimates import mean_of
from vaesearch.evaluation.pictures import codes_of
from vaesearch.evaluation.planes import (
    Plane,
    plane_of_latents,
    principal_plane,
    widest_latents,
)
from vaesearch.evaluation.subject import SPLITS
from vaesearch.gallery.common import caption, labels_of, noise, on_device
from vaesearch.gallery.paths import check_latent
from vaesearch.gallery.samples import mixture_of
from vaesearch.models.priors import StandardNormalPrior
from vaesearch.report.latent_map import LatentMap
from vaesearch.trained import Trained

PLANES = ("latents", "pca")
PRIOR_DRAWS = 500


def latent_map(
    trained: Trained,
    *,
    split: str = "test",
    images: int = 2000,
    plane: str = "latents",
    latents: Sequence[int] | None = None,
    components: int | None = None,
    arrows: int = 0,
    times: int = 1,
    seed: int = 0,
) -> LatentMap:
    """Codes of images, the prior, the mixture of codes, and how codes drift.

    Args:
        trained: the model.
        split: of the images.
        images: how many, the first ones.
        plane: ``latents``, two of them, or ``pca``, the directions in which codes vary most.
        latents: which two; by default those in which codes vary most.
        components: of the mixture; by default those of ``--prior gmm:M``, else 10.
        arrows: how many images to draw the drift of (Liu et al. 2020): from the code of an image
            to the code of its reconstruction.
        times: how often to go from a code to its reconstruction's.
        seed: of the prior's draws.

    Raises:
        InputError: a model of one latent, no such latent or plane, or a number out of range.
    """
    settings = trained.arm.settings
    if settings.latent_dim < 2:
        raise InputError("a map needs 2 latents, and the model has 1: use vaesearch traverse.")
    whole("--images", images)
    whole("--drift", arrows, 0)
    whole("--times", times)
    if components is not None:
        whole("--components", components)
    _check_plane(plane, latents, settings.latent_dim)
    shown = on_device(trained, _first(trained, split, max(images, arrows)))
    codes = codes_of(trained.model, shown[:images])
    on = _plane(codes, plane, latents)
    mixture = mixture_of(trained, components)
    moved = _drift(trained, shown[:arrows], times, seed) if arrows else None
    labels = labels_of(trained.data, split)
    text = f"codes of {len(codes)} {split} images{_drift_words(moved)}"
    return LatentMap(
        caption(trained, text),
        on.names,
        on.axes.numpy(),
        codes.cpu().numpy(),
        on.points(codes).cpu().numpy(),
        None if labels is None else labels[: len(codes)],
        mixture.weights.cpu().numpy(),
        on.points(mixture.means).cpu().numpy(),
        on.spreads(mixture.covariances).cpu().numpy(),
        _prior_points(trained, on, seed),
        **_drifts(moved, on),
    )


def _check_plane(plane: str, latents: Sequence[int] | None, latent_dim: int) -> None:
    if plane not in PLANES:
        raise unknown_name("--plane", plane, PLANES)
    if latents is None:
        return
    if plane == "pca":
        raise InputError("--plane pca finds its own directions: leave out --latents.")
    for latent in latents:
        check_latent(latent, latent_dim)
    if len(set(latents)) != 2 or len(latents) != 2:
        raise InputError("--latents takes two different latents, as in --latents 0,3.")


def _first(trained: Trained, split: str, count: int) -> np.ndarray:
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    return np.asarray(getattr(trained.data, split)[:count])


def _plane(codes: Tensor, kind: str, latents: Sequence[int] | None) -> Plane:
    if kind == "pca":
        return principal_plane(codes.cpu())
    first, second = latents or widest_latents(codes)
    return plane_of_latents(first, second, codes.shape[1])


def _prior_points(trained: Trained, on: Plane, seed: int) -> np.ndarray | None:
    if isinstance(trained.model.prior, StandardNormalPrior):
        return None
    prior = trained.model.latent_prior()
    with torch.no_grad():
        z = prior.sample(PRIOR_DRAWS, noise(trained, seed, "prior"))
    return on.points(z).cpu().numpy()


def _drift(trained: Trained, images: Tensor, times: int, seed: int) -> Drift:
    return drift(trained.model, images.float().div(255), times, noise(trained, seed, "drift"))


def _drift_words(moved: Drift | None) -> str:
    if moved is None:
        return ""
    times, count = len(moved.codes) - 1, moved.codes.shape[1]
    words = f"; drift of the first {count}" + (f", {times} times over" if times > 1 else "")
    if moved.divergences is None:
        return words
    found = mean_of(moved.divergences[0])
    error = "" if found.error is None else f" ± {found.error:.2f}"
    return f"{words}, KL(z'||z) {found.value:.2f}{error} nats"


def _drifts(moved: Drift | None, on: Plane) -> dict[str, np.ndarray]:
    if moved is None:
        return {}
    found = {"drifts": on.points(moved.codes)}
    if moved.covariances is not None:
        found["drift_covariances"] = on.spreads(moved.covariances)
    if moved.divergences is not None:
        found["divergences"] = moved.divergences
    return {name: value.cpu().numpy() for name, value in found.items()}
