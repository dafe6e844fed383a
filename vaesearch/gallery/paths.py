"""Pictures along paths through the space of latents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vaesearch.arguments import number, whole
from vaesearch.errors import InputError
from vaesearch.evaluation.interpolation import interpolation
from vaesearch.evaluation.pictures import codes_of, shown_at, to_levels
from vaesearch.evaluation.traversals import Ranking, rank_latents, traversal
from vaesearch.gallery.common import caption, device_of, on_device, pick
from vaesearch.trained import Trained

RANKED_ON = 2000  # images at most


@dataclass(frozen=True, eq=False)
class Traversal:
    """One latent moved in each row.

    Attributes:
        title: what it is.
        moved: the latents, ``[L]``.
        values: that each takes, ``[V]``.
        scores: how much of an image each latent carries, ``[D]``, in what ``measure`` says.
        measure: of the scores.
        latents: float32 ``[L, V, D]``.
        images: uint8 ``[L, V, C, H, W]``.
    """

    title: str
    moved: np.ndarray
    values: np.ndarray
    scores: np.ndarray
    measure: str
    latents: np.ndarray
    images: np.ndarray


def traverse(
    trained: Trained,
    latents: Sequence[int] | None = None,
    *,
    top: int = 10,
    image: int | None = None,
    split: str = "test",
    span: float = 3.0,
    steps: int = 7,
) -> Traversal:
    """Move one latent at a time, with the others held.

    Args:
        trained: the model.
        latents: which, one for each row; by default those that carry most of an image.
        top: how many by default.
        image: number of the image whose code the others are held at; by default they are 0.
        split: that it is of.
        span: the values run from -span to span.
        steps: how many values.

    Raises:
        InputError: no such latent or image, or a number out of range.
    """
    latent_dim = trained.arm.settings.latent_dim
    whole("--steps", steps, 2)
    if number("--span", span) == 0:
        raise InputError("--span must be above 0: it is how far a latent is moved either way.")
    whole("--top", top)
    for latent in latents or ():
        check_latent(latent, latent_dim)
    start, held = torch.zeros(latent_dim, device=device_of(trained)), "the others at 0"
    if image is not None:
        images = on_device(trained, pick(trained.data, split, [image]))
        start, held = codes_of(trained.model, images)[0], f"the others as of {split} image {image}"
    ranking = _ranked(trained)
    moved = list(latents) if latents else ranking.order[:top]
    values = torch.linspace(-span, span, steps)
    z = traversal(start, moved, values)
    return Traversal(
        caption(trained, f"one latent moved in each row, {held}"),
        np.asarray(moved),
        values.numpy(),
        ranking.scores.cpu().numpy(),
        ranking.measure,
        z.cpu().numpy(),
        _decoded(trained, z),
    )


@dataclass(frozen=True, eq=False)
class Interpolation:
    """A path between the codes of two images, or a sheet between those of four.

    Attributes:
        title: what it is.
        indices: of the images, ``[2]`` or ``[4]``: top left, top right, bottom left, bottom right.
        originals: the images, uint8 ``[2 or 4, C, H, W]``.
        latents: float32 ``[S, D]`` or ``[S, S, D]``.
        images: uint8 ``[S, C, H, W]`` or ``[S, S, C, H, W]``.
    """

    title: str
    indices: np.ndarray
    originals: np.ndarray
    latents: np.ndarray
    images: np.ndarray


def interpolate(
    trained: Trained,
    indices: Sequence[int],
    *,
    split: str = "test",
    steps: int = 8,
    spherical: bool = False,
) -> Interpolation:
    """Decode what lies between the mean codes of images.

    Args:
        trained: the model.
        indices: of two images, or of four, counted from 0.
        split: that they are of.
        steps: points from one image to the next, both included.
        spherical: along arcs instead of lines.

    Raises:
        InputError: no such image, another number of images, or fewer than 2 steps.
    """
    whole("--steps", steps, 2)
    if len(indices) not in (2, 4):
        raise InputError(f"--between takes 2 images, or 4 as corners, not {len(indices)}.")
    originals = pick(trained.data, split, indices)
    corners = codes_of(trained.model, on_device(trained, originals))
    z = interpolation(corners, steps, spherical=spherical)
    path = "arcs" if spherical else "lines"
    numbers = ", ".join(map(str, indices))
    return Interpolation(
        caption(trained, f"along {path} between the codes of {split} images {numbers}"),
        np.asarray(indices),
        originals,
        z.cpu().numpy(),
        _decoded(trained, z),
    )


def check_latent(latent: int, latent_dim: int) -> None:
    """Refuse a latent that the model has not.

    Raises:
        InputError: says which there are.
    """
    if not 0 <= latent < latent_dim:
        raise InputError(
            f"--latents: there is no latent {latent}; the model has {latent_dim}, "
            f"0 to {latent_dim - 1}."
        )


def _ranked(trained: Trained) -> Ranking:
    return rank_latents(trained.model, on_device(trained, trained.data.valid[:RANKED_ON]))


def _decoded(trained: Trained, z: torch.Tensor) -> np.ndarray:
    pictures = shown_at(trained.model, z.flatten(0, -2))
    return to_levels(pictures.view(*z.shape[:-1], *pictures.shape[1:]))
