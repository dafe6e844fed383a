"""The original report's shared encoder beside a search, on the same images and as many of them.

    python benchmarks/shared_encoder.py --data mnist.npz --out benchmarks/results/shared_encoder.md

The shared encoder draws a decoder for every batch; a search gives every decoder an encoder of its
own and draws one for every pass. Both train on each image the same number of times. The third run
gives every decoder that many passes, with an encoder of its own: what there is to be found.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common import hardware, publish, table

from vaesearch.api import run_bandit
from vaesearch.baselines import run_shared_encoder
from vaesearch.config import Config
from vaesearch.report.tables import results as results_of

EPSILON = 0.3
PUBLISHED = "QMNIST, 5 passes .607; Fashion-MNIST, 3 passes .576; CIFAR-10, 5 passes .641"


@dataclass(frozen=True)
class Figures:
    """Of one decoder in one run: share of the training, and bits/dim on test images."""

    share: float
    bpd: float


@dataclass(frozen=True)
class Run:
    """One way to train the decoders, and the one that it recommends."""

    title: str
    figures: dict[str, Figures]
    best: str
    seconds: float


def law(passes: int, decoders: int) -> tuple[float, float]:
    """Shares of a leader that never changes, and of each other decoder."""
    first = 1 / passes
    other = first / decoders + (1 - first) * EPSILON / decoders
    return other + (1 - first) * (1 - EPSILON), other


def shared(title: str, config: Config, folder: Path) -> Run:
    found = run_shared_encoder(replace(config, shared_encoder=True), folder)
    figures = {d["name"]: Figures(d["share"], d["test"]["bpd"]) for d in found["decoders"]}
    return Run(title, figures, found["best_decoder"], found["seconds"])


def searched(title: str, config: Config, folder: Path) -> Run:
    started = time.perf_counter()
    state = run_bandit(replace(config, backend="local", tracking_uri="none"), folder)
    found = results_of(state)
    figures = {
        arm["name"]: Figures(arm["epochs"] / found["epochs"], arm["test"].get("bpd", math.nan))
        for arm in found["arms"]
    }
    return Run(title, figures, found["best_arm"], time.perf_counter() - started)


def row(name: str, runs: Sequence[Run]) -> list[str]:
    cells = [name]
    for run in runs:
        mark, figures = "**" if name == run.best else "", run.figures[name]
        bpd = "-" if math.isnan(figures.bpd) else f"{figures.bpd:.3f}"  # never trained
        cells += [f"{figures.share:.3f}", f"{mark}{bpd}{mark}"]
    return cells


def report(options: argparse.Namespace, runs: Sequence[Run]) -> str:
    names = list(runs[0].figures)
    leader, other = law(options.passes, len(names))
    head = ["decoder", *(cell for run in runs for cell in (f"{run.title}: share", "bits/dim"))]
    rows = [row(name, runs) for name in names]
    rows.append(["seconds", *(cell for run in runs for cell in (f"{run.seconds:.0f}", ""))])
    top = max(f.share for f in runs[0].figures.values())
    return f"""\
# A shared encoder beside a search

{hardware("torch", "numpy")}. {options.data.stem}, {options.images:,} images to train on, width
{options.width:g}, {options.passes} passes of them for the shared encoder and for the search; the
last run has {options.passes} passes for every decoder, each with an encoder of its own. Bits/dim
on {options.images // 4:,} test images; in bold what the run recommends. One run each, seed
{options.seed}.

{table(head, rows)}

If the decoder that leads after the first pass stays in front, ε-greedy with ε = {EPSILON:g} gives
it {leader:.3f} of all batches and each other one {other:.3f}; here the one drawn most got
{top:.3f}. The report printed for its leaders: {PUBLISHED}.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help=".npz with x_train and x_test")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--passes", type=int, default=15)
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = Config(
            dataset=str(options.data), train_limit=options.images, decoders="5",
            width=options.width, epochs=options.passes, seed=options.seed,
        )  # fmt: skip
        each = replace(config, epochs=5 * options.passes, policy="uniform")
        runs = [
            shared("shared encoder", config, folder / "shared"),
            searched("vaesearch", config, folder / "search"),
            searched("all trained", each, folder / "all"),
        ]
        publish(report(options, runs), options.out)


if __name__ == "__main__":
    main()
