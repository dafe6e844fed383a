"""Tables and a picture of what ``decoder_bandit.py`` finds, for its section of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictures import BLUE, GREY, INK, save
from shared import Results, markdown

EPSILON = 0.3
COLOURS = {
    "mlp": "#E69F00",
    "mlp-wide": "#D55E00",
    "deconv-deep": "#56B4E9",
    "deconv": "#0072B2",
    "linear-deconv": "#009E73",
}  # of Okabe & Ito's palette
NAMES = tuple(COLOURS)  # D0 to D4 of the report
K = len(NAMES)
CLOSE = 0.01  # bits/dim, within which two decoders are as good as each other
SURE = 3  # standard deviations, beyond which draws are not those of the law

SAME = ("fashionmnist", "cifar10")  # as the report's, but for how many images there are

Run = Mapping[str, Any]


def law(passes: int) -> tuple[float, float]:
    """Shares of a leader that stays, and of each other decoder, where the first pass is random."""
    first = 1 / passes
    other = first / K + (1 - first) * EPSILON / K
    return other + (1 - first) * (1 - EPSILON), other


def spread(passes: int, batches: int) -> float:
    """Standard deviation of the leader's share under the law, over so many batches in all."""
    first, greedy = 1 / passes, 1 - EPSILON + EPSILON / K
    variance = first / K * (1 - 1 / K) + (1 - first) * greedy * (1 - greedy)
    return float((variance / batches) ** 0.5)


def leader(run: Run) -> str:
    """Whom the report's system draws most: what it recommends."""
    return max(NAMES, key=lambda name: run["draws"][name])


def stays(run: Run) -> bool:
    """Whether the same decoder is drawn most in every pass but the first."""
    passes = run["draws_by_pass"][1:]
    return len({max(NAMES, key=lambda name: done[name]) for done in passes}) == 1


def share(run: Run, name: str) -> float:
    drawn: int = run["draws"][name]
    return drawn / int(run["batches"])


def places(results: Results) -> dict[str, str]:
    """All tables by their places in the page."""
    return {
        "decoder bandit: claims": claims(results),
        "decoder bandit: draws": draws(results),
        "decoder bandit: decisions": decisions(results),
        "decoder bandit: parameters": parameters(results),
    }


def parameters(results: Results) -> str:
    counts = results["parameters"]
    rows = [
        [words, *(f"{counts[kind][name]:,}" for kind in ("grey", "colour"))]
        for words, name in [
            ("encoder", "encoder"),
            *((f"D{i} `{n}`", n) for i, n in enumerate(NAMES)),
        ]
    ]
    totals = [f"{_decoders(counts[kind]):,}" for kind in ("grey", "colour")]
    return markdown(["parameters", "grey", "colour"], [*rows, ["D0 to D4", *totals]])


def draws(results: Results) -> str:
    """Each run of the report's system beside the law."""
    rows = []
    for found in results["sets"].values():
        batches, passes = found["batches"] * found["passes"], found["passes"]
        top = int(np.argmax(found["published"]))
        words = f"{found['stands_for']}, published"
        rows.append(_row(words, passes, batches, NAMES[top], found["published"][top], "?"))
        for run in [*found["short"], found["long"]]:
            best = leader(run)
            stayed = "yes" if stays(run) else "no"
            words = f"{found['name']}, seed {run['seed']}"
            passes = len(run["draws_by_pass"])
            rows.append(_row(words, passes, run["batches"], best, share(run, best), stayed))
    head = ["run", "passes", "batches", "drawn most", "share", "law", "difference in SD", "stays"]
    return markdown(head, rows)


def _row(words: str, passes: int, batches: int, best: str, found: float, stayed: str) -> list[str]:
    expected = law(passes)[0]
    distance = (found - expected) / spread(passes, batches)
    return [
        words,
        str(passes),
        f"{batches:,}",
        f"`{best}`",
        f"{found:.3f}",
        f"{expected:.3f}",
        f"{distance:+.1f}",
        stayed,
    ]


def decisions(results: Results) -> str:
    """Each decoder in the longer runs; in bold what a run recommends, and what is best."""
    rows = []
    for found in results["sets"].values():
        drawn, search, few, equal = (found[kind] for kind in ("long", "search", "few", "equal"))
        for name in NAMES:
            cells = [
                _bold(f"{share(drawn, name):.3f}", leader(drawn) == name),
                _bold(str(few["epochs"][name]), few["best"] == name),
                _bold(str(search["epochs"][name]), search["best"] == name),
                _bits(search, name),
                _bold(_bits(equal, name), best_of(found) == name),
                f"{equal['test_mse'][name]:.4f}",
            ]
            rows.append([f"{found['name']}, `{name}`", *cells])
    settings = results["settings"]
    head = [
        "",
        f"report's system, {settings['passes']} passes: share",
        f"search of {settings['few']}: passes",
        f"search of {settings['passes']}: passes",
        "its bits/dim",
        f"{settings['epochs']} passes each: bits/dim",
        "squared error",
    ]
    return markdown(head, rows)


def claims(results: Results) -> str:
    """What the report says, and what is found here."""
    rows = [_parameter_row(results)]
    for found in results["sets"].values():
        rows += [_share_row(found), _leader_row(found)]
    sets = list(results["sets"].values())
    for words, kind in (("at the report's passes", "short"), ("in the longer run", "long")):
        runs = [(f, r) for f in sets for r in (f[kind] if kind == "short" else [f[kind]])]
        right = sum(is_right(found, leader(run)) for found, run in runs)
        rows.append(
            [
                f"the decoder drawn most is the best one, {words}",
                "its premise",
                f"in {right} of {len(runs)} runs",
                "yes" if right == len(runs) else "no",
                "it learned fastest in the first pass",
            ]
        )
    for kind, passes in (("few", "few"), ("search", "passes")):
        chosen = [(found, found[kind]["best"]) for found in sets]
        right = sum(is_right(found, name) for found, name in chosen)
        lost = max(_lost(found, name) for found, name in chosen)
        rows.append(
            [
                f"a search's choice is the best one, after {results['settings'][passes]} passes",
                "-",
                f"in {right} of {len(sets)} sets; at most {lost:.3f} bits/dim lost",
                "-",
                "held-out bits/dim, curves continued, and the leaders get the passes",
            ]
        )
    return markdown(["what", "report", "here", "same", "why"], rows)


def _parameter_row(results: Results) -> list[str]:
    count = _decoders(results["parameters"]["grey"])
    same = "yes" if round(count / 1e6, 1) == 28.9 else "no"
    return ["parameters of the grey decoders", "28.9 M", f"{count:,}", same, "the same networks"]


def _share_row(found: Run) -> list[str]:
    runs = found["short"]
    expected, top = law(found["passes"])[0], max(found["published"])
    shares = [share(run, leader(run)) for run in runs]
    spreads = spread(found["passes"], runs[0]["batches"])
    follow = sum(abs(value - expected) < SURE * spreads for value in shares)
    why = f"the law says {expected:.3f} for a leader that stays; {follow} of {len(runs)} runs do"
    listed = ", ".join(f"{value:.3f}" for value in shares)
    near = min(abs(value - top) for value in shares) < SURE * spreads
    what = f"share of the decoder drawn most, {title_of(found)}"
    return [what, f"{top:.3f}", listed, "yes" if near else "no", why]


def _leader_row(found: Run) -> list[str]:
    published = f"D{int(np.argmax(found['published']))}"
    here = [f"D{NAMES.index(leader(run))}" for run in found["short"]]
    same = here.count(published)
    words = "yes" if same == len(here) else "no" if same == 0 else f"{same} of {len(here)}"
    why = "few draws decide in the first pass; networks are narrower"
    return ["which decoder that is", published, ", ".join(here), words, why]


def best_of(found: Run) -> str:
    """The decoder with the fewest bits/dim on test images after equal training."""
    bits = found["equal"]["test_bpd"]
    return min(NAMES, key=lambda name: bits[name])


def _lost(found: Run, name: str) -> float:
    """Bits/dim that ``name`` needs more than the best one, both trained equally."""
    bits = found["equal"]["test_bpd"]
    return float(bits[name] - bits[best_of(found)])


def is_right(found: Run, name: str) -> bool:
    """Whether ``name`` is the best one, or as good."""
    return _lost(found, name) <= CLOSE


def _decoders(counts: Mapping[str, int]) -> int:
    return sum(counts[name] for name in NAMES)


def _bits(run: Run, name: str) -> str:
    value = run["test_bpd"][name]
    return "-" if value is None else f"{value:.3f}"


def _bold(text: str, is_bold: bool) -> str:
    return f"**{text}**" if is_bold else text


def picture(results: Results) -> None:
    """Shares of draws beside the law, and how the decoders learn when trained equally."""
    sets: Sequence[Run] = list(results["sets"].values())
    figure = Figure(figsize=(3.1 * len(sets), 4.6), layout="constrained")
    grid = figure.subplots(2, len(sets), squeeze=False)
    for column, found in enumerate(sets):
        _shares(grid[0, column], found, is_first=column == 0)
        _curves(grid[1, column], found, is_first=column == 0)
    handles, labels = grid[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7, frameon=False)
    save(figure, "decoder_bandit")


def _shares(axes: Axes, found: Run, *, is_first: bool) -> None:
    at = np.arange(K)
    runs = found["short"]
    breadth = 0.8 / (len(runs) + 1)
    axes.bar(at - 0.4, found["published"], breadth, color=GREY, align="edge", label="published")
    for i, run in enumerate(runs, start=1):
        heights = [share(run, name) for name in NAMES]
        words = None if i > 1 else f"here, {len(runs)} seeds"
        axes.bar(
            at - 0.4 + i * breadth, heights, 0.9 * breadth, color=BLUE, align="edge", label=words
        )
    for level, words in zip(law(found["passes"]), ("a leader that stays", "others"), strict=True):
        axes.axhline(level, color=INK, linewidth=0.8, linestyle="--")
        axes.text(2.5, level + 0.02, words, ha="center", fontsize=6, color=INK)
    axes.set_title(title_of(found), fontsize=8, color=INK)
    axes.set_xticks(at, [f"D{i}" for i in range(K)], fontsize=7)
    axes.set_ylim(0, 0.9)
    axes.tick_params(labelsize=7)
    if is_first:
        axes.set_ylabel("share of draws", fontsize=8, color=INK)
        axes.legend(fontsize=6, frameon=False, loc="upper left")


def title_of(found: Run) -> str:
    """The report's data set, and ours where it is another."""
    if found["name"] in SAME:
        return str(found["stands_for"])
    return f"{found['stands_for']} (here {found['name']})"


def _curves(axes: Axes, found: Run, *, is_first: bool) -> None:
    for i, name in enumerate(NAMES):
        bits = -np.array(found["equal"]["curves"][name])
        axes.plot(
            np.arange(1, len(bits) + 1), bits, color=COLOURS[name], label=f"D{i} {name}", lw=1.2
        )
    for name, marker, size, words in (
        (leader(found["long"]), "v", 5, "drawn most by the report's system"),
        (found["few"]["best"], "s", 8, "chosen by the short search"),
        (found["search"]["best"], "o", 12, "chosen by the long search"),
    ):
        curve = found["equal"]["curves"][name]
        style = {"marker": marker, "ms": size, "mfc": "none", "mec": INK, "linestyle": "none"}
        axes.plot(len(curve), -curve[-1], label=words, **style)
    axes.set_xlabel("passes, trained equally", fontsize=7, color=INK)
    axes.tick_params(labelsize=7)
    if is_first:
        axes.set_ylabel("validation bits/dim", fontsize=8, color=INK)
