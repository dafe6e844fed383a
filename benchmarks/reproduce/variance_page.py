"""The section of the page on decoder variance: tables and pictures from results alone."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import published_variance as published
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictures import BLUE, INK, ORANGE, save
from shared import Results, markdown
from torch import Tensor

DIMS = 784
SURE = 2  # standard errors
GREEN = "#009E73"
METHODS = {
    "dataset": "learned σ²",
    "pixel": "σ² of each pixel",
    "vae": "VAE, σ²=0.5",
    "beta": "β-VAE, σ²=1",
    "dip": "DIP-VAE-I, σ²=0.5",
    "wae": "WAE-MMD, σ²=0.5",
}

Figures = Mapping[str, Any]


def variance_words(name: str, value: float) -> str:
    """A variance for people."""
    return f"learned {value:.3f}" if name == "learned" else f"σ²={name}"


def places(results: Results) -> dict[str, str]:
    """All tables, by their places."""
    return {
        "decoder variance: table 1": table_1(results["plane"]),
        "decoder variance: figure 1": figure_1(results["sweep"]),
        "decoder variance: claims": claims(results["sweep"]),
        "decoder variance: table 2": table_2(results["methods"]),
        "decoder variance: table 3": table_3(results["methods"]),
        "decoder variance: arithmetic": arithmetic(results["methods"]),
        "decoder variance: table 4": table_4(results["mixtures"]),
    }


def table_1(plane: Figures) -> str:
    """KL of the aggregate posterior from the prior, by variance."""
    rows = []
    before = None
    for name, found in plane.items():
        value, spread = published.AGGREGATE_KL[name]
        ours = found["aggregate_kl"]
        theirs_learned = f" (theirs {published.LEARNED_ON_PLANE})" if name == "learned" else ""
        rises = "" if before is None else _yes(_above(ours, before))
        rows.append(
            [
                variance_words(name, found["variance"]) + theirs_learned,
                f"{value:.3f} ± {spread:.3f}",
                _pm(ours, 3),
                rises,
            ]
        )
        before = ours
    return markdown(["z=2", "paper", "ours", "rises: same"], rows)


def figure_1(sweep: Figures) -> str:
    """What the figure shows, as numbers; the paper prints none."""
    head = ["z=16", "ELBO", "FID, prior", "FID, mixture", "difference", "ratio", "KL(q̂‖p)"]
    rows = []
    for name, found in sweep.items():
        prior, mixture = found["fid_prior"], found["fid_gmm"]
        rows.append(
            [
                variance_words(name, found["variance"]),
                _pm(found["elbo"], 1),
                _pm(prior, 1),
                _pm(mixture, 1),
                f"{prior['value'] - mixture['value']:.1f}",
                f"{prior['value'] / mixture['value']:.2f}",
                _pm(found["aggregate_kl"], 2),
            ]
        )
    return markdown(head, rows)


def claims(sweep: Figures) -> str:
    """What the paper says of its figure 1."""
    learned, ordered = sweep["learned"], by_variance(sweep)
    best = min(
        (f["behind"] for name, f in sweep.items() if name != "learned"), key=lambda b: b["value"]
    )
    rank = 1 + sum(f["fid_gmm"]["value"] < learned["fid_gmm"]["value"] for f in ordered)
    gains = [f for f in ordered if _above(f["fid_prior"], f["fid_gmm"])]
    gaps = [f["fid_prior"]["value"] - f["fid_gmm"]["value"] for f in ordered]
    rows = [
        [
            "the learned σ² has the highest ELBO",
            f"{_pm(best, 1)} nats above the best fixed one",
            _yes(best["value"] > SURE * best["error"]),
        ],
        [
            "and one of the lowest FIDs (mixture)",
            f"{_pm(learned['fid_gmm'], 1)}, place {rank} of {len(sweep)}",
            _yes(rank <= len(sweep) / 2),
        ],
        [
            "samples of the mixture are better than of the prior, at every σ²",
            f"{len(gains)} of {len(sweep)}",
            _yes(len(gains) == len(sweep)),
        ],
        [
            "the gap between the two grows as σ² falls",
            " → ".join(f"{gap:.0f}" for gap in gaps),
            _yes(all(more > less for less, more in pairwise(gaps))),
        ],
    ]
    return markdown(["the paper says of figure 1", "ours", "same"], rows)


def by_variance(sweep: Figures) -> list[Figures]:
    """From the widest to the sharpest."""
    return sorted(sweep.values(), key=lambda found: -found["variance"])


def table_2(methods: Figures) -> str:
    """FID of samples; only their order can be compared."""
    ours = methods["dataset"]["fid_gmm"]
    rows = []
    for name, found in methods.items():
        paper = published.FID.get(name)
        is_worse = "" if name in ("dataset", "pixel") else _yes(_above(found["fid_gmm"], ours))
        rows.append(
            [
                METHODS[name],
                "" if paper is None else f"{paper:.1f}",
                _pm(found["fid_gmm"], 2),
                _pm(found["fid_prior"], 2),
                _pm(found["fid_reconstruction"], 2),
                is_worse,
            ]
        )
    real = _pm(methods["dataset"]["fid_real"], 2)
    rows.append(["training images", f"{published.FID['real']:.1f}", real, real, "", ""])
    head = ["", "paper", "mixture", "prior", "reconstructions", "worse than learned: same"]
    return markdown(head, rows)


def table_3(methods: Figures) -> str:
    """Bounds of 20 weights."""
    rows = []
    for name, (prior, mixture) in published.IWAE.items():
        found = methods[name]
        is_gain = found["iwae_gain"]["value"] > SURE * found["iwae_gain"]["error"]
        rows.append(
            [
                METHODS[name],
                f"{prior}",
                f"{mixture}",
                _pm(found["iwae_prior"], 1),
                _pm(found["iwae_gmm"], 1),
                _yes(is_gain),
            ]
        )
    head = ["z=16", "paper, N(0, I)", "paper, mixture", "ours, N(0, I)", "ours, mixture"]
    return markdown([*head, "mixture is higher: same"], rows)


def arithmetic(methods: Figures) -> str:
    """The most that log p(x) can be with the variances at hand, and what is left below it."""
    rows = []
    theirs = {"vae": 0.5, "beta": 1.0, "dip": 0.5}
    theirs["dataset"] = implied_variance(published.IWAE["dataset"][0])
    theirs["pixel"] = theirs["dataset"] / 2
    for name, (bound, _) in published.IWAE.items():
        own = methods[name]["variance"] / (2 if name == "pixel" else 1)
        ours = methods[name]["iwae_prior"]["value"]
        rows.append(
            [
                METHODS[name],
                f"{theirs[name]:.4f}",
                f"{ceiling(theirs[name]):.1f}",
                f"{bound}",
                f"{ceiling(theirs[name]) - bound:.1f}",
                f"{own:.4f}",
                f"{ceiling(own):.1f}",
                f"{ours:.1f}",
            ]
        )
    head = ["", "their σ²", "ceiling", "theirs", "below it", "our σ²", "ceiling", "ours"]
    return markdown(head, rows)


def ceiling(variance: float) -> float:
    """Log p(x) of images without any error and any KL, where no pixel's variance is below."""
    return -DIMS / 2 * math.log(2 * math.pi * variance)


def implied_variance(bound: float) -> float:
    """The largest variance, as the mean squared error, with which a bound can be reached.

    At the optimum SSE / (2 variance) is half the number of pixels; the KL is 0 at least.
    """
    return math.exp(-2 * bound / DIMS - 1) / (2 * math.pi)


def table_4(mixtures: Figures) -> str:
    """FID by components."""
    rows = [
        _mixture("ours, digits", found["components"], mixtures["images"], _pm(found["fid"], 2))
        for found in mixtures["fitted"]
    ]
    limit = _pm(mixtures["codes"], 2)
    rows.append(["ours, q(z\\|x) of training images", f"{mixtures['images']}", "1", limit])
    rows += [
        _mixture("paper, CelebA", count, published.CODES, f"{fid:.1f}")
        for count, fid in published.FID_OF_MIXTURES.items()
    ]
    return markdown(["", "components", "images for each", "FID"], rows)


def _mixture(whose: str, components: int, images: int, fid: str) -> list[str]:
    return [whose, f"{components}", f"{images / components:.0f}", fid]


def _pm(figure: Figures, digits: int) -> str:
    return f"{figure['value']:.{digits}f} ± {figure['error']:.{digits}f}"


def _above(more: Figures, less: Figures) -> bool:
    """By more than two standard errors."""
    difference = more["value"] - less["value"]
    return bool(difference > SURE * math.hypot(more["error"], less["error"]))


def _yes(is_same: bool) -> str:
    return "yes" if is_same else "no"


def draw(results: Results) -> None:
    """Figure 1: three figures against the variance."""
    figure = Figure(figsize=(8.4, 2.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    sweep = results["sweep"]
    for axes, name, colour, label in (
        (left, "elbo", BLUE, "ELBO (nats)"),
        (middle, "fid_prior", ORANGE, "prior"),
        (middle, "fid_gmm", BLUE, "mixture"),
        (right, "aggregate_kl", BLUE, "KL(q̂‖p) (nats)"),
    ):
        _curve(axes, sweep, name, colour, label)
    left.set_ylabel("ELBO (nats)", fontsize=8, color=INK)
    middle.set_ylabel("FID of samples", fontsize=8, color=INK)
    right.set_ylabel("KL(q̂‖p) (nats)", fontsize=8, color=INK)
    for axes in (middle, right):
        axes.set_yscale("log")
    middle.legend(fontsize=7, frameon=False)
    save(figure, "decoder_variance")


def _curve(axes: Axes, sweep: Figures, name: str, colour: str, label: str) -> None:
    ordered = by_variance(sweep)
    x = [found["variance"] for found in ordered]
    axes.plot(x, [f[name]["value"] for f in ordered], "o-", color=colour, label=label, ms=3, lw=1)
    learned = sweep["learned"]
    axes.plot(learned["variance"], learned[name]["value"], "*", color=GREEN, ms=11, zorder=3)
    axes.set_xscale("log")
    axes.set_xlabel("σ² (star: learned)", fontsize=8, color=INK)
    axes.tick_params(which="both", labelsize=7, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)


def grid(rows: Mapping[str, Tensor]) -> Figure:
    """Rows of pictures ``[N, H, W]`` in [0, 1] with a name each."""
    figure = Figure(figsize=(6.0, 0.56 * len(rows)), layout="constrained")
    for axes, (name, pictures) in zip(
        figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows.items(), strict=True
    ):
        strip = pictures.permute(1, 0, 2).flatten(1)
        axes.imshow(strip.cpu().numpy(), cmap="gray", vmin=0, vmax=1)
        axes.set_ylabel(name, fontsize=7, color=INK, rotation=0, ha="right", va="center")
        axes.set_xticks([])
        axes.set_yticks([])
    return figure
