"""Tables and pictures of what ``consistency.py`` finds, for its section of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from pictures import INK, save
from shared import Results, markdown

from vaesearch.report.latent_map import AFTER, BEFORE, ellipses

Row = Mapping[str, Any]
Figures = Sequence[float]  # a mean and its standard error

DATA = {"mnist": "digits", "fashionmnist": "Fashion-MNIST"}
PUBLISHED = 3.0  # times less, at the end of training
SURE = 2  # standard errors
EARLY = 3  # epochs that a curve takes to settle
_COLOURS = {0.0: "#333333", 0.1: "#56B4E9", 1.0: "#0072B2", 10.0: "#D55E00"}
_REVERSED = "#009E73"
_LINES = ("-", "--", ":", "-.")
_HALO = withStroke(linewidth=2.5, foreground="white")


def rows_of(
    results: Results,
    latents: int,
    alpha: float,
    *,
    data: str = "mnist",
    is_reversed: bool = False,
) -> list[Row]:
    """The trainings of one kind, by seed."""
    wanted = (latents, alpha, is_reversed)
    return [r for r in results[data] if (r["latents"], r["alpha"], r["reversed"]) == wanted]


def figures(results: Results) -> str:
    """All trainings; the seeds of one kind beside each other."""
    head = [
        "images, latents, weight", "KL(z'‖z), sampled z", "times less", "KL(z'‖z), mean code",
        "times less", "-ELBO", "ELBO lost",
    ]  # fmt: skip
    kinds = [
        (data, row["latents"], row["alpha"], row["reversed"])
        for data in DATA
        for row in results.get(data, ())
    ]
    rows = []
    for data, latents, alpha, is_reversed in dict.fromkeys(kinds):
        found = rows_of(results, latents, alpha, data=data, is_reversed=is_reversed)
        name = f"{DATA[data]}, {latents}, {alpha:g}" + (" on KL(z‖z')" if is_reversed else "")
        plain = alpha == 0
        rows.append(
            [
                name,
                _each(found, "sampled"),
                "" if plain else _each(found, "ratio", 1),
                _each(found, "central"),
                "" if plain else _each(found, "ratio_central", 1),
                _each([{"nats": [-r["elbo"][0], r["elbo"][1]]} for r in found], "nats", 1),
                "" if plain else _each(found, "cost"),
            ]
        )
    return markdown(head, rows)


def claims(results: Results) -> str:
    """What the paper says, beside what is found here."""
    head = ["claim", "paper", "ours, by seed", "same", "why"]
    plain, tied = rows_of(results, 2, 0.0), rows_of(results, 2, 1.0)
    wide = rows_of(results, 10, 1.0)
    low, high = _greatest(tied), _least(plain)
    rows = [
        [
            "codes of a VAE drift (figure 2)", "a clear drift, no number",
            f"KL(z'‖z) {_each(plain, 'sampled')} nats", _verdict(_above(plain, "sampled", 0)),
            "an encoding is off by several of its own standard deviations",
        ],
        [
            "reduction at the end of training (figure 3)", "3 times",
            f"{_each(tied, 'ratio', 1)} times", _verdict(_above(tied, "ratio", PUBLISHED)),
            "at weight 1 and 2 latents; the paper does not give its weight",
        ],
        [
            "low throughout training (figure 3)", "\"very low level throughout\"",
            f"after epoch {EARLY}: {low:.2f} nats at most, without the term {high:.2f} at least",
            _verdict(low < high), "both rise as encodings get narrower, the tied ones far less",
        ],
        [
            "the objective stays what it was", "\"does not alter\" it",
            f"{_each(tied, 'cost')} nats of the ELBO lost",
            _verdict(not _above(tied, "cost", 0)),
            "the term is free only where encoder and decoder invert each other exactly, which "
            "is not reached",
        ],
        [
            "with 10 latents", "not reported",
            f"{_each(wide, 'ratio', 1)} times, for {_each(wide, 'cost')} nats", "-",
            "threefold is a matter of the latent plane: at this weight, do not expect it of "
            "more latents",
        ],
        _fashion(results),
    ]  # fmt: skip
    return markdown(head, rows)


def _fashion(results: Results) -> list[str]:
    if "fashionmnist" not in results:
        return [
            "Fashion-MNIST", "the same, no number", "not measured", "-",
            "its files were not at hand; the script takes `fashionmnist.npz`",
        ]  # fmt: skip
    tied = rows_of(results, 2, 1.0, data="fashionmnist")
    return [
        "Fashion-MNIST", "the same, no number", f"{_each(tied, 'ratio', 1)} times",
        _verdict(_above(tied, "ratio", 1)), "as for digits",
    ]  # fmt: skip


def _each(rows: Sequence[Mapping[str, Any]], name: str, decimals: int = 2) -> str:
    return ", ".join(f"{row[name][0]:.{decimals}f} ± {row[name][1]:.{decimals}f}" for row in rows)


def _above(rows: Sequence[Row], name: str, least: float) -> bool:
    """Whether every seed's figure is above ``least`` by two standard errors."""
    return all(row[name][0] - SURE * row[name][1] > least for row in rows)


def _verdict(is_same: bool) -> str:
    return "yes" if is_same else "**no**"


def _greatest(rows: Sequence[Row]) -> float:
    return max(mean for row in rows for mean, _ in row["curve"][EARLY:])


def _least(rows: Sequence[Row]) -> float:
    return min(mean for row in rows for mean, _ in row["curve"][EARLY:])


def draw(results: Results) -> None:
    """The paper's figures 2 and 3."""
    save(drift_figure(results), "consistency_drift", dpi=100)
    save(curves_figure(results), "consistency_curves")


def drift_figure(results: Results) -> Figure:
    """Codes, arrows and three encodings, without the term and with it."""
    figure = Figure(figsize=(9.2, 4.4), layout="constrained")
    shown = [r for alpha in (0.0, 1.0) for r in rows_of(results, 2, alpha) if "picture" in r]
    grid = figure.subplots(1, 2 * len(shown), width_ratios=[1, 0.36] * len(shown))
    for row, axes, strip in zip(shown, grid[::2], grid[1::2], strict=True):
        _map(axes, row["picture"])
        axes.set_title(
            f"weight {row['alpha']:g}: KL(z'‖z) {row['central'][0]:.2f} nats from mean codes",
            fontsize=9, loc="left", color=INK,
        )  # fmt: skip
        _digits(strip, row["picture"])
    return figure


def _map(axes: Axes, picture: Mapping[str, Any]) -> None:
    codes, labels = np.array(picture["codes"]), np.array(picture["labels"])
    axes.plot(*codes.T, ".", color="#C4C4C4", markersize=2.5, zorder=1)
    for name in np.unique(labels):
        x, y = np.median(codes[labels == name], axis=0)
        axes.text(
            x, y, str(name), fontsize=11, color="#777777", ha="center", va="center", zorder=2,
            path_effects=[_HALO],
        )  # fmt: skip
    before, after = np.array(picture["arrows"])
    axes.quiver(
        *before.T, *(after - before).T, angles="xy", scale_units="xy", scale=1, color=INK,
        width=0.003, headwidth=4, headlength=4.5, headaxislength=4, minlength=0, zorder=3,
    )  # fmt: skip
    pairs, spreads = np.array(picture["pairs"]), np.array(picture["covariances"])
    for place, spread, colour in zip(pairs, spreads, (BEFORE, AFTER), strict=True):
        ellipses(axes, place, spread, 2, colour)
        axes.plot(*place.T, "o", color=colour, markersize=3.5, zorder=5)
    for name, (x, y) in zip("abc", pairs[0], strict=True):
        axes.annotate(
            name, (x, y), (-9, 6), textcoords="offset points", fontsize=10, weight="bold",
            color=BEFORE, zorder=6, path_effects=[_HALO],
        )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.tick_params(labelsize=7, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("z1", fontsize=8, color=INK)
    axes.set_ylabel("z2", fontsize=8, color=INK)


def _digits(axes: Axes, picture: Mapping[str, Any]) -> None:
    """The three digits beside their reconstructions."""
    pairs = zip(picture["images"], picture["reconstructions"], strict=True)
    lines = [np.hstack([np.array(image), np.array(made)]) for image, made in pairs]
    side = lines[0].shape[0]
    axes.imshow(np.vstack(lines), cmap="gray", vmin=0, vmax=255)
    for line, (name, divergence) in enumerate(zip("abc", picture["divergences"], strict=True)):
        axes.text(-2, line * side + side / 2, name, fontsize=10, weight="bold", color=BEFORE,
                  ha="right", va="center")  # fmt: skip
        axes.text(2 * side, line * side + side - 1, f"{divergence:.1f}", fontsize=8,
                  color="white", ha="right", va="bottom")  # fmt: skip
    axes.set_title("x, x' and KL", fontsize=8, color=INK)
    axes.axis("off")


def curves_figure(results: Results) -> Figure:
    """KL(z'‖z) of test images over the epochs of training, two latents and ten."""
    figure = Figure(figsize=(8.2, 3.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, latents in zip(panels, (2, 10), strict=True):
        for row in results["mnist"]:
            if row["latents"] == latents:
                _curve(axes, row, results["seeds"])
        axes.set_yscale("log")
        axes.set_title(f"{latents} latents", fontsize=9, loc="left", color=INK)
        axes.set_xlabel("epoch", fontsize=8, color=INK)
        axes.tick_params(labelsize=7, colors=INK)
        axes.tick_params(which="minor", labelleft=False)
        axes.set_yticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "0.5", "1", "2", "5", "10"])
        axes.grid(axis="y", color="#E6E6E6", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("KL(z'‖z) in nats, test images", fontsize=8, color=INK)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", fontsize=7, frameon=False)
    return figure


def _curve(axes: Axes, row: Row, seeds: Sequence[int]) -> None:
    means = np.array(row["curve"])[1:, 0]
    place = seeds.index(row["seed"])
    colour = _REVERSED if row["reversed"] else _COLOURS[row["alpha"]]
    kind = f"weight {row['alpha']:g}" + (" on KL(z‖z')" if row["reversed"] else "")
    axes.plot(
        range(1, len(means) + 1), means, _LINES[place % len(_LINES)], color=colour,
        linewidth=1.4, label=f"{kind}, seed {row['seed']}",
    )  # fmt: skip
