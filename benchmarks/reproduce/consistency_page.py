"""Tables and pictures of what ``consistency.py`` finds, for its section of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from pictures import INK, save
from shared import Results, markdown

from vaesearch.report.latent_map import AFTER, BEFORE, ellipses

Row = Mapping[str, Any]
Figures = Sequence[float]  # a mean and its standard error

DATA = {"mnist": "digits", "fashionmnist": "Fashion-MNIST"}
PUBLISHED = 3.0  # times less, at the end of training
SURE = 2  # standard errors
PAIRS = 3  # of encodings that figure 2 shows near by
EARLY = 3  # epochs that a curve takes to settle
_KIND = ("latents", "alpha", "reversed", "activation")
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
    activation: str = "ReLU",
) -> list[Row]:
    """The trainings of one kind, by seed."""
    wanted = [latents, alpha, is_reversed, activation]
    return [row for row in results[data] if [row[name] for name in _KIND] == wanted]


def figures(results: Results) -> str:
    """All trainings; the seeds of one kind beside each other."""
    head = [
        "images, latents, weight", "KL(z'‖z), sampled z", "times less", "KL(z'‖z), mean code",
        "times less", "-ELBO", "ELBO lost",
    ]  # fmt: skip
    kinds = [
        (data, *(row[name] for name in _KIND)) for data in DATA for row in results.get(data, ())
    ]
    rows = []
    for data, latents, alpha, is_reversed, activation in dict.fromkeys(kinds):
        found = rows_of(
            results, latents, alpha, data=data, is_reversed=is_reversed, activation=activation
        )
        name = f"{DATA[data]}, {latents}, {alpha:g}" + (" on KL(z‖z')" if is_reversed else "")
        name += "" if activation == "ReLU" else f", {activation}"
        plain = alpha == 0
        rows.append(
            [
                name,
                _each(found, "sampled"),
                "" if plain else _each(found, "ratio"),
                _each(found, "central"),
                "" if plain else _each(found, "ratio_central"),
                _each([{"nats": [-r["elbo"][0], r["elbo"][1]]} for r in found], "nats", 1),
                "" if plain else _each(found, "cost"),
            ]
        )
    return markdown(head, rows)


def claims(results: Results) -> str:
    """What the paper says, beside what is found here."""
    head = ["claim", "paper", "ours, by seed", "same", "why"]
    plain, tied = rows_of(results, 2, 0.0), rows_of(results, 2, 1.0)
    strong = rows_of(results, 2, 10.0)
    wide, wider = (rows_of(results, 10, alpha) for alpha in (1.0, 10.0))
    smooth_plain, smooth = (rows_of(results, 2, a, activation="ELU") for a in (0.0, 1.0))
    low, high = _greatest(tied), _least(plain)
    rows = [
        [
            "codes of a VAE drift (figure 2)", "a clear drift, no number",
            f"KL(z'‖z) {_each(plain, 'sampled')} nats", _verdict(_above(plain, "sampled", 0)),
            f"from mean codes as much as a shift by {_shifts(plain)} standard deviations",
        ],
        [
            "reduction at the end of training (figure 3)", "3 times",
            f"{_each(tied, 'ratio')} times", _verdict(_above(tied, "ratio", PUBLISHED)),
            "at weight 1 with ReLU, neither of which the paper gives",
        ],
        [
            "low throughout training (figure 3)", "\"very low level throughout\"",
            f"after epoch {EARLY}: {low:.2f} nats at most, without the term {high:.2f} at least",
            _verdict(low < high), "without the term it goes on rising with the epochs",
        ],
        [
            "the objective stays what it was", "\"does not alter\" it",
            f"ELBO lost: {_each(tied, 'cost')} nats at weight 1, {_each(strong, 'cost')} at 10",
            _verdict(not any(_above(rows, "cost", 0) for rows in (tied, strong))),
            "the term is free only where encoder and decoder invert each other exactly, which "
            "is not reached",
        ],
        [
            "with 10 latents", "not reported",
            f"at weight 1 {_each(wide, 'ratio')} times for {_each(wide, 'cost')} nats; "
            f"at 10 {_each(wider, 'ratio')} times for {_each(wider, 'cost')} nats", "-",
            "threefold is of the latent plane: with more latents it takes a weight at which "
            "the ELBO collapses",
        ],
        [
            "with ELU in place of ReLU", "not reported",
            f"{_each(smooth, 'ratio')} times; KL(z'‖z) {_each(smooth_plain, 'sampled')} nats "
            "without the term", "-",
            "how far codes drift without the term depends on the networks, and so does how much "
            "there is to gain",
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
        "Fashion-MNIST", "the same, no number", f"{_each(tied, 'ratio')} times",
        _verdict(_above(tied, "ratio", 1)), "as for digits",
    ]  # fmt: skip


def _each(rows: Sequence[Mapping[str, Any]], name: str, decimals: int = 2) -> str:
    return ", ".join(f"{row[name][0]:.{decimals}f} ± {row[name][1]:.{decimals}f}" for row in rows)


def _shifts(rows: Sequence[Row]) -> str:
    """As many standard deviations as give such a KL between Gaussians of the same spread."""
    return ", ".join(f"{(2 * row['central'][0]) ** 0.5:.1f}" for row in rows)


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
    """Codes, arrows and three encodings near by, without the term and with it."""
    figure = Figure(figsize=(10.6, 4.3), layout="constrained")
    shown = [r for alpha in (0.0, 1.0) for r in rows_of(results, 2, alpha) if "picture" in r]
    reach = max(_reach(row["picture"]) for row in shown)
    grid = figure.add_gridspec(PAIRS, 3 * len(shown), width_ratios=[3.1, 1, 1] * len(shown))
    for half, row in enumerate(shown):
        picture = row["picture"]
        axes = figure.add_subplot(grid[:, 3 * half])
        _map(axes, picture)
        axes.set_title(
            f"weight {row['alpha']:g}: KL(z'‖z) {row['central'][0]:.2f} nats",
            fontsize=9, loc="left", color=INK,
        )  # fmt: skip
        for pair in range(PAIRS):
            _near(figure.add_subplot(grid[pair, 3 * half + 1]), picture, pair, reach)
            _digits(figure.add_subplot(grid[pair, 3 * half + 2]), picture, pair)
    return figure


def _reach(picture: Mapping[str, Any]) -> float:
    """Half the width of a window that shows any pair of encodings whole."""
    pairs, spreads = np.array(picture["pairs"]), np.array(picture["covariances"])
    widths = 2 * np.sqrt(np.diagonal(spreads, axis1=-2, axis2=-1))
    return float((np.abs(pairs - pairs.mean(axis=0)) + widths).max()) * 1.05


def _near(axes: Axes, picture: Mapping[str, Any], pair: int, reach: float) -> None:
    """One pair of encodings, all pairs at the same scale."""
    places, spreads = np.array(picture["pairs"])[:, pair], np.array(picture["covariances"])
    for place, spread, colour in zip(places, spreads[:, pair], (BEFORE, AFTER), strict=True):
        ellipses(axes, place[None], spread[None], 2, colour)
        axes.plot(*place, "o", color=colour, markersize=3)
    middle = places.mean(axis=0)
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
    name, divergence = "abc"[pair], picture["divergences"][pair]
    axes.set_title(f"{name}: {divergence:.1f} nats", fontsize=8, color=INK, pad=3)


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
    pairs = np.array(picture["pairs"])
    for place, colour in zip(pairs, (BEFORE, AFTER), strict=True):
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


def _digits(axes: Axes, picture: Mapping[str, Any], pair: int) -> None:
    """A digit beside its reconstruction."""
    both = (np.array(picture[name][pair]) for name in ("images", "reconstructions"))
    axes.imshow(np.hstack(list(both)), cmap="gray", vmin=0, vmax=255)
    axes.set_title("x, x'", fontsize=8, color=INK, pad=3)
    axes.axis("off")


def curves_figure(results: Results) -> Figure:
    """KL(z'‖z) of test images over the epochs of training, two latents and ten."""
    figure = Figure(figsize=(8.2, 3.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, latents in zip(panels, (2, 10), strict=True):
        for row in results["mnist"]:
            if row["latents"] == latents and row["activation"] == "ReLU":
                _curve(axes, row, results["seeds"])
        axes.set_yscale("log")
        axes.set_title(f"{latents} latents", fontsize=9, loc="left", color=INK)
        axes.set_xlabel("epoch", fontsize=8, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 5, 10]))
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
