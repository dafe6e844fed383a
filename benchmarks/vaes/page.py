"""The tables of what was found."""

import argparse
import statistics
from collections.abc import Iterable

from common import hardware, ratios, spread, table

from vaes.side_by_side import BASE, Outcome, Variant

Found = dict[Variant, list[Outcome]]


def bound_rows(found: Found) -> list[list[str]]:
    rows = []
    for variant, outcomes in found.items():
        if not variant.has_bound:
            continue
        cells = []
        for name in ("elbo", "iwae"):
            both = [[o.scores[side][name] for o in outcomes] for side in (0, 1)]
            difference = [a - b for a, b in zip(*both, strict=True)]
            cells += [_seeds(both[0]), _seeds(both[1]), _seeds(difference)]
        rows.append([variant.name, *cells, *_beyond_cells(outcomes)])
    return rows


def _seeds(values: list[float], digits: int = 2) -> str:
    """The median, and in brackets the least and the greatest, any of which may be negative."""
    # No minus before what is rounded to 0.
    middle, low, high = (
        f"{round(value, digits) + 0.0:.{digits}f}"
        for value in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def _beyond_cells(outcomes: list[Outcome]) -> list[str]:
    return [f"{outcomes[0].beyond[side]:,}" for side in (0, 1)]


def code_rows(found: Found) -> list[list[str]]:
    rows = []
    for variant, outcomes in found.items():
        if variant.name == "VAE" or variant.kind.endswith("MMD"):
            cells = []
            for name, digits in (("squares", 2), ("mmd", 4), ("kl", 2)):
                for side in (0, 1):
                    cells.append(_seeds([o.codes[side][name] for o in outcomes], digits))
            rows.append([variant.name, *cells])
    return rows


def speed_rows(found: Found) -> list[list[str]]:
    rows = []
    for variant, outcomes in found.items():
        epochs = [_but_first(o.epochs[side] for o in outcomes) for side in (0, 1)]
        bare = [_but_first(o.bare[side] for o in outcomes) for side in (0, 1)]
        rows.append(
            [
                variant.name,
                *(f"{statistics.median(e):.3f}" for e in epochs),
                spread(ratios(epochs[1], epochs[0])),
                *(f"{statistics.median(b):.3f}" for b in bare),
                spread(ratios(bare[1], bare[0])),
            ]
        )
    return rows


def _but_first(series: Iterable[list[float]]) -> list[float]:
    """All in one; the first of each was slower, for it was the first."""
    return [value for one in series for value in one[1:]]


def objective_line(found: Found) -> str:
    for variant, outcomes in found.items():
        if variant.kind == "BetaVAE":
            beta = variant.options["beta"]
            values = [
                [o.scores[side]["reconstruction"] - beta * o.scores[side]["kl"] for o in outcomes]
                for side in (0, 1)
            ]
            return (
                f"The beta-VAE's own objective, reconstruction - {beta} KL: ours "
                f"{_seeds(values[0])}, pythae {_seeds(values[1])}."
            )
    return ""


def planar_line(found: Found) -> str:
    for variant, outcomes in found.items():
        layers = variant.options.get("flows", [])
        if "Planar" in layers:
            folded, all_of = sum(o.folded for o in outcomes), len(layers) * len(outcomes)
            return (
                f"pythae's planar layers have no constraint; after training {folded} of {all_of} "
                "are not invertible (w'u < -1). Their density is that of the map as it is, summed "
                "over all points that it takes to the same one; pythae's own log-determinant adds "
                "1e-4 inside the logarithm and counts one of them. Its flows have the same "
                "parameters for all images, ours those that the encoder gives."
            )
    return ""


BOUNDS = [
    "Variant", "ELBO, ours", "ELBO, pythae", "Difference", "IWAE, ours", "IWAE, pythae",
    "Difference", "More parameters, ours", "pythae",
]  # fmt: skip
CODES = [
    "Variant", "Squared error, ours", "pythae", "MMD² of codes, ours", "pythae",
    "KL of their Gaussian, ours", "pythae",
]  # fmt: skip
SPEED = [
    "Variant", "Epoch, ours (s)", "pythae (s)", "pythae / ours", "Bare loop, ours (s)",
    "pythae (s)", "pythae / ours",
]  # fmt: skip


def page(found: Found, missing: list[str], options: argparse.Namespace) -> str:
    intro = (
        f"{hardware('torch', 'pythae', 'zuko')}, one thread, {options.clock} clock. Binarised "
        f"MNIST, {options.images} images to train and {options.images // 4} to test; dense "
        f"networks 128-128 and 64-128-256, z={BASE.latent_dim}, batches of {BASE.batch_size}, "
        f"Adam at {BASE.learning_rate:g}, {options.epochs} epochs, {options.seeds} seeds; median "
        "(least to greatest)."
    )
    bounds = (
        f"Nats per test image, higher is better; both with {options.samples} samples of z per "
        "image, by the same evaluator. Differences are ours less pythae's of the same seed. Both "
        "were trained by the same loop with fused Adam on the same batches and, where they draw "
        "as many numbers (VAE, beta-VAE, InfoVAE), with the same noise; there the losses are the "
        "same, and what differs is what rounding has grown to. Elsewhere two runs from the same "
        "weights differ by a nat or two for their noise alone."
    )
    codes = (
        "One code per test image: squared error of its reconstruction, summed over pixels; "
        "unbiased MMD² to N(0, I); KL(N(m, S) || N(0, I)) of the codes' mean and covariance. "
        "Lower is better. pythae's WAE has a deterministic encoder, ours a stochastic one."
    )
    speed = (
        "Seconds per epoch: of `train_epoch` and of pythae's `BaseTrainer.train_step`, in turn; "
        "and of the bare loop that is the same for both, so that the models and losses alone "
        "differ."
    )
    parts = ["# Variants beside pythae's", intro, "## Bounds", bounds]
    parts += [table(BOUNDS, bound_rows(found)), objective_line(found), planar_line(found)]
    parts += ["## Codes", codes, table(CODES, code_rows(found))]
    parts += ["## Speed", speed, table(SPEED, speed_rows(found)), *missing]
    return "\n\n".join(part for part in parts if part)
