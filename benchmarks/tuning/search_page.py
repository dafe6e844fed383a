"""The tables of `search.py`, and its picture of the front."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import hardware, spread, table

from tuning.candidates import DEFAULT, FRONT, Candidate, Point
from tuning.retraining import Retrained

Scores = Mapping[str, Sequence[Retrained]]


@dataclass(frozen=True)
class Found:
    """All that the page shows.

    Attributes:
        reference: name of the default decoder that the bandit recommends.
        points: trials of the search.
        scores: of each candidate, a value per seed of training it again.
    """

    about: str
    command: str
    reference: str
    candidates: Sequence[Candidate]
    points: Sequence[Point]
    scores: Scores

    def mean(self, name: str, figure: str) -> float:
        """Over the seeds of training it again."""
        return float(np.mean([getattr(r, figure) for r in self.scores[name]]))

    def better(self, name: str, where: str, other: str) -> bool:
        """Whether ``name`` beats ``other`` in both figures on ``valid`` or ``test`` images."""
        return all(
            self.mean(name, f"{where}_{figure}") < self.mean(other, f"{where}_{figure}")
            for figure in ("bpd", "consistency")
        )

    @property
    def front(self) -> list[str]:
        """Candidates of the search that were trained again."""
        return [c.name for c in self.candidates if c.kind == FRONT and self.scores.get(c.name)]

    @property
    def defaults(self) -> list[str]:
        """Likewise, of the defaults."""
        return [c.name for c in self.candidates if c.kind == DEFAULT and self.scores.get(c.name)]

    @property
    def chosen(self) -> str | None:
        """Beats the reference in both on validation, and of those the best in bits/dim."""
        able = [name for name in self.front if self.better(name, "valid", self.reference)]
        return min(able, key=lambda name: self.mean(name, "valid_bpd"), default=None)


def report(found: Found) -> str:
    """The whole page."""
    head = "# `vaesearch search` for bits/dim and consistency\n\n"
    machine = hardware("torch", "optuna", "vaesearch")
    parts = [
        f"{head}    {found.command}\n\n{machine}. {found.about}",
        verdict(found),
        f"## Trained again\n\n{_explained(found)}\n\n{_figures(found)}",
        f"## The front of the search\n\n{_front(found)}",
    ]
    return "\n\n".join(parts)


def verdict(found: Found) -> str:
    """What it came to, in a paragraph."""
    chosen = found.chosen
    if chosen is None:
        return (
            f"No setting of the front beats `{found.reference}` in both figures on validation: "
            "the two conflict; the front is below."
        )
    beaten = [name for name in found.defaults if found.better(chosen, "test", name)]
    both = "beats" if found.reference in beaten else "does not beat"
    bpd = [found.mean(name, "test_bpd") for name in (chosen, found.reference)]
    kl = [found.mean(name, "test_consistency") for name in (chosen, found.reference)]
    return (
        f"`{chosen}`, chosen on validation, {both} `{found.reference}` on test images in both: "
        f"{bpd[0]:.3f} against {bpd[1]:.3f} bits/dim, {kl[0]:.2f} against {kl[1]:.2f} nats of "
        f"consistency. It beats {len(beaten)} of {len(found.defaults)} defaults in both."
    )


def _explained(found: Found) -> str:
    seeds = max(map(len, found.scores.values()))
    return (
        f"Every candidate for the same number of epochs from {seeds} other seeds; test figures of "
        "the epoch with the best validation bits/dim. Median (least-greatest) over seeds; lower "
        f"is better. Marked: the decoder that the bandit recommends among defaults (*), and what "
        "is chosen on validation (+)."
    )


def _figures(found: Found) -> str:
    rows = []
    for candidate in found.candidates:
        runs = found.scores.get(candidate.name)
        if not runs:
            rows.append([candidate.name, _values(candidate), "failed", "", "", ""])
            continue
        mark = " *" if candidate.name == found.reference else ""
        mark += " +" if candidate.name == found.chosen else ""
        rows.append([
            candidate.name + mark, _values(candidate), spread([r.test_bpd for r in runs], 3),
            spread([r.test_consistency for r in runs], 2),
            spread([r.valid_bpd for r in runs], 3),
            "yes" if found.better(candidate.name, "test", found.reference) else "",
        ])  # fmt: skip
    head = [
        "settings", "decoder, latent size, alpha, learning rate", "test bits/dim",
        "test consistency, nats", "validation bits/dim", "beats * in both",
    ]  # fmt: skip
    return table(head, rows)


def _values(candidate: Candidate) -> str:
    s = candidate.settings
    return f"{s.decoder}, {s.latent_dim}, {s.alpha:.2g}, {s.learning_rate:.2g}"


def _front(found: Found) -> str:
    groups = sorted({p.group for p in found.points})
    counts = ", ".join(
        f"{g} {sum(p.group == g for p in found.points)} "
        f"({sum(p.epochs for p in found.points if p.group == g)} epochs)"
        for g in groups
    )
    rows = [
        [p.name, f"{p.bpd:.3f}", f"{p.consistency:.2f}", str(p.epochs)]
        for p in sorted(found.points, key=lambda p: p.bpd)
        if p.on_front
    ]
    head = ["trial", "validation bits/dim", "validation consistency, nats", "epochs"]
    return f"{len(found.points)} trials: {counts}.\n\n{table(head, rows)}"


def picture(found: Found, path: Path) -> None:
    """Trials and front on validation; what was trained again on test images, with its spread."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for group in sorted({p.group for p in found.points}):
        own = [p for p in found.points if p.group == group]
        left.scatter([p.bpd for p in own], [p.consistency for p in own],
                     s=[6 + 2 * p.epochs for p in own], alpha=0.55, label=group)  # fmt: skip
    steps = sorted((p.bpd, p.consistency) for p in found.points if p.on_front)
    left.step(*zip(*steps, strict=True), where="post", color="black", linewidth=1, label="front")
    left.set_title("trials of the search, validation; larger: more epochs", fontsize=10)
    for names, marker, label in ((found.front, "o", "front"), (found.defaults, "s", "defaults")):
        for name in names:
            runs = found.scores[name]
            x, y = [r.test_bpd for r in runs], [r.test_consistency for r in runs]
            middle = [[np.median(v)] for v in (x, y)]
            bars = [[[np.median(v) - min(v)], [max(v) - np.median(v)]] for v in (x, y)]
            color = "tab:blue" if marker == "o" else "tab:red"
            first = name == names[0]
            right.errorbar(*middle, xerr=bars[0], yerr=bars[1], fmt=marker, color=color,
                           label=label if first else None)  # fmt: skip
            right.annotate(name.removeprefix("default "), (middle[0][0], middle[1][0]), fontsize=7,
                           xytext=(5, 4), textcoords="offset points")  # fmt: skip
    right.set_title("trained again from other seeds, test images", fontsize=10)
    for axes in (left, right):
        axes.set_yscale("log")
        for each in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            each("{x:g}")
        axes.set_xlabel("bits/dim")
        axes.set_ylabel("consistency KL(z'||z), nats")
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    bpd = sorted(p.bpd for p in found.points)
    left.set_xlim(bpd[0] - 0.03, bpd[min(len(bpd) - 1, int(0.9 * len(bpd)))] + 0.05)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
