"""Images beside what the model makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaesearch.errors import InputError, unknown_name
from vaesearch.evaluation.pictures import codes_of, deviations_at, shown_at, to_levels
from vaesearch.gallery.common import caption, noise, on_device, pick
from vaesearch.trained import Trained

CODES = ("mean", "sample")
SPREADING = (
    "gaussian:pixel", "discretized-normal:pixel", "discretized-logistic:pixel",
    "discretized-logistic-mixture", "beta",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reconstructions:
    """Images and their reconstructions.

    Attributes:
        title: what they are.
        indices: of the images in their split, ``[N]``.
        originals: uint8 ``[N, C, H, W]``.
        reconstructions: the means of p(x|z), likewise.
        latents: the codes z, float32 ``[N, D]``.
        errors: squared error per pixel, in units of [0, 1], ``[N]``.
        deviations: standard deviations that the model expects, in units of [0, 1], float32
            ``[N, C, H, W]``; None where they were not asked for.
    """

    title: str
    indices: np.ndarray
    originals: np.ndarray
    reconstructions: np.ndarray
    latents: np.ndarray
    errors: np.ndarray
    deviations: np.ndarray | None = None


def reconstruct(
    trained: Trained,
    indices: Sequence[int] = range(32),
    *,
    split: str = "test",
    code: str = "mean",
    uncertainty: bool = False,
    seed: int = 0,
) -> Reconstructions:
    """Reconstruct images by their numbers.

    Args:
        trained: the model.
        indices: of the images, counted from 0, in the order wanted.
        split: ``test``, ``valid`` or ``train``.
        code: ``mean`` of q(z|x), or a ``sample`` of it.
        uncertainty: also the standard deviations that the model expects.
        seed: of a sampled code.

    Raises:
        InputError: no such image, split or code, or a likelihood that expects the same deviation
            everywhere.
    """
    if code not in CODES:
        raise unknown_name("--code", code, CODES)
    if not indices:
        raise InputError("--indices names no image: give numbers, as in --indices 3,17.")
    originals = pick(trained.data, split, indices)
    if uncertainty:
        check_spread(trained)
    model, images = trained.model, on_device(trained, originals)
    z = codes_of(model, images, noise(trained, seed, "code") if code == "sample" else None)
    made = shown_at(model, z)
    errors = (made - images.float().div(255)).square().flatten(1).mean(dim=1)
    kind = "the mean code" if code == "mean" else "a sampled code"
    return Reconstructions(
        caption(trained, f"{split} images and their reconstructions from {kind}"),
        np.asarray(indices),
        originals,
        to_levels(made),
        z.cpu().numpy(),
        errors.cpu().numpy(),
        deviations_at(model, z).cpu().numpy() if uncertainty else None,
    )


def check_spread(trained: Trained) -> None:
    """Refuse maps of uncertainty where there is nothing to see on them.

    Raises:
        InputError: says which likelihoods predict a spread.
    """
    # A likelihood of a user's own may not say.
    if not getattr(trained.model.likelihood, "predicts_spread", False):
        raise InputError(
            f"--uncertainty: the decoder of --likelihood {trained.arm.settings.likelihood} "
            "predicts no deviation of its own for each pixel.\n"
            f"Likelihoods that do: {', '.join(SPREADING)}."
        )
