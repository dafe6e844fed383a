"""What each posterior, likelihood, objective, regulariser and prior costs beside the plain one.

    python benchmarks/variants.py --out benchmarks/results/variants.md

A member of an axis and the plain model take turns at training on one thread; beside the ratio of
their times stand those of their arithmetic, counted in the same step.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from arithmetic import Arithmetic, Prices, count_arithmetic, find_prices
from common import hardware, publish, ratios, spread, table
from digits import find_digits, load_digits, padded, stand_in
from torch import Tensor

from vaesearch import catalogue
from vaesearch.compatibility import check_combination
from vaesearch.errors import InputError
from vaesearch.records import Arm, TrialSettings
from vaesearch.training import TrialState, new_state, train_epoch

SEED = 0
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
# A quarter more than the sum of the arithmetic's own times.
SLOW = 1.25


@dataclass(frozen=True)
class Net:
    """Networks around the member."""

    name: str
    settings: TrialSettings
    size: int


DENSE = Net("dense", TrialSettings("mlp", encoder="mlp", latent_dim=16), 28)
CONV = Net("convolutional", TrialSettings("linear-deconv", latent_dim=16), 32)
# An image size that all decoders can make.
LARGER = Net("other", DENSE.settings, 32)
AXES = {
    "posterior": "posteriors",
    "likelihood": "likelihoods",
    "bound": "bounds",
    "regularizer": "regularizers",
    "annealing": "annealings",
    "prior": "priors",
}
ARCHITECTURES = {"encoder": "encoders", "decoder": "decoders"}
# Beside the member's name alone; per pixel in the second stage.
MORE = {
    ("posterior", "planar"): ("planar:1", "planar:8"),
    ("posterior", "radial"): ("radial:1", "radial:8"),
    ("likelihood", "gaussian"): ("gaussian:learned", "gaussian:pixel,first=1"),
    ("likelihood", "discretized-normal"): ("discretized-normal:pixel",),
    ("likelihood", "discretized-logistic"): ("discretized-logistic:pixel",),
    ("bound", "iwae"): ("iwae:1",),
}
# An annealing is to be timed while it lasts.
INSTEAD = {("annealing", "kl"): "kl:100000", ("annealing", "entropy"): "entropy:100000"}
# Of two that need each other, the other one.
WITH = {
    ("posterior", "ladder"): {"prior": "ladder"},
    ("prior", "ladder"): {"posterior": "ladder"},
}


@dataclass(frozen=True)
class Case:
    """One row: the member, and what the settings are with it."""

    axis: str
    name: str
    settings: TrialSettings


@dataclass(frozen=True)
class Timing:
    """Of one row.

    Attributes:
        rates: images per second of each round.
        times: of each round, over the plain model's in the same round.
        counts: of one step.
        plain: counts of the plain model's step.
        seconds: of a step, the median.
    """

    case: Case
    rates: list[float]
    times: list[float]
    counts: Arithmetic
    plain: Arithmetic
    seconds: float


def cases_of(axes: dict[str, str], base: TrialSettings) -> Iterator[Case]:
    """Every member of the axes, each in the plain model otherwise."""
    for axis, title in axes.items():
        for entry in catalogue.AXES[title]:
            named = INSTEAD.get((axis, entry.name), entry.name)
            for spec in (named, *MORE.get((axis, entry.name), ())):
                changes = {axis: spec, **WITH.get((axis, entry.name), {})}
                yield Case(axis, spec, replace(base, **changes))
    if "posterior" in axes:
        yield Case("consistency", "alpha 1", replace(base, alpha=1.0))


class Trained:
    """A model in training, and as many batches of images as fill a turn."""

    def __init__(self, settings: TrialSettings, images: Tensor, seconds: float) -> None:
        pixels = "binary" if _is_binary(settings) else "8bit"
        check_combination(settings, pixels)
        self._images = (images > 127).to(torch.uint8) * 255 if pixels == "binary" else images
        shape = tuple(images.shape[1:])
        self._state: TrialState = new_state(Arm("a", settings), shape, SEED, torch.device("cpu"))
        self._size = settings.batch_size
        self._batches = 1
        self._train()
        self.counts = count_arithmetic(self._train)
        taken = min(self.turn(time.perf_counter) for _ in range(2))
        most = len(images) // self._size
        self._batches = min(most, max(1, round(seconds / taken)))

    def _train(self) -> None:
        train_epoch(self._state, self._images[: self._batches * self._size], SEED)

    def turn(self, clock=time.perf_counter) -> float:
        """Seconds of a step, the mean of a turn."""
        started = clock()
        self._train()
        return (clock() - started) / self._batches


def _is_binary(settings: TrialSettings) -> bool:
    return "binary" in catalogue.find("likelihoods", settings.likelihood).traits


def measure(net: Net, case: Case, images: Tensor, options: argparse.Namespace) -> Timing:
    """The member and the plain model in turn; who is first alternates.

    Raises:
        InputError: the plain model with this member is refused.
    """
    member = Trained(case.settings, images, options.seconds)
    # As new as the member: after hundreds of epochs a step takes a tenth longer than at first.
    plain = Trained(net.settings, images, options.seconds)
    clock = CLOCKS[options.clock]
    steps: dict[Trained, list[float]] = {member: [], plain: []}
    for number in range(options.rounds):
        for side in (member, plain) if number % 2 else (plain, member):
            steps[side].append(side.turn(clock))
    size = case.settings.batch_size
    return Timing(
        case,
        [size / seconds for seconds in steps[member]],
        ratios(steps[member], steps[plain]),
        member.counts,
        plain.counts,
        statistics.median(steps[member]),
    )


COUNTS = ("flops", "bytes", "calls", "functions")
HEAD = [
    "Member", "Images/s", "Time", "Explained", "FLOPs", "Bytes", "Calls", "Functions", "",
]  # fmt: skip
NETWORKS_HEAD = [
    "Member", "Images/s", "Time", "FLOPs", "Bytes", "Calls", "Functions", "GFLOP/s",
]  # fmt: skip


def row_of(timing: Timing, prices: Prices) -> list[str]:
    ratio = statistics.median(timing.times)
    explained = prices.ratio(timing.counts, timing.plain)
    name, rates, times, *counts = _cells(timing)
    note = "slower than its arithmetic" if ratio > SLOW * explained else ""
    return [name, rates, times, f"{explained:.2f}", *counts, note]


def network_row_of(timing: Timing) -> list[str]:
    return [*_cells(timing), f"{timing.counts.flops / timing.seconds / 1e9:.0f}"]


def _cells(timing: Timing) -> list[str]:
    over = timing.counts.over(timing.plain)
    return [
        f"{timing.case.axis} `{timing.case.name}`",
        spread(timing.rates, 0),
        spread(timing.times),
        *(f"{over[name]:.2f}" for name in COUNTS),
    ]


def measure_all(
    net: Net, axes: dict[str, str], images: Tensor, options: argparse.Namespace
) -> tuple[list[Timing], list[str]]:
    """Rows of a table, and lines on what could not be timed."""
    timings, left_out = [], []
    for case in cases_of(axes, net.settings):
        if options.only and options.only not in f"{case.axis} {case.name}":
            continue
        try:
            timings.append(measure(net, case, images, options))
        except InputError as error:
            left_out.append(f"- {net.name} networks, {case.axis} `{case.name}`: {error}")
    return timings, left_out


def section(net: Net, axes: dict[str, str], timings: list[Timing], prices: Prices | None) -> str:
    settings, counts = net.settings, timings[0].plain
    if prices is None:
        body = table(NETWORKS_HEAD, [network_row_of(t) for t in timings])
    else:
        body = f"{prices}\n\n{table(HEAD, [row_of(t, prices) for t in timings])}"
    return (
        f"## {net.name.capitalize()} networks: {', '.join(axes)}\n\n"
        f"Plain: {settings.encoder} + {settings.decoder}, width {settings.width:g}, z="
        f"{settings.latent_dim}, {net.size}x{net.size} images, batches of {settings.batch_size}; "
        f"a step has {counts.flops / 1e6:,.0f} MFLOP, {counts.bytes / 1e6:,.0f} MB, "
        f"{counts.calls} calls, {counts.functions / 1e6:.2f} M functions.\n\n{body}"
    )


INTRODUCTION = """\
Each row is the plain model but for one member. `Time` is that of a training step over the plain
model's, taken in turn; median (min-max). `FLOPs` of matrix products and convolutions, `Bytes`
read and written by all other operations, `Calls` of kernels, and `Functions`, elements through
exp, log, random numbers and the like, are counts of one step over the plain model's. `Explained`
is the ratio that prices make of these counts, one for each count, found so as to explain the
times of all rows on members together. A row whose time is more than a quarter above it is marked.
Convolutions run at rates that depend on their shapes, so that no price explains all encoders and
decoders; their rows say instead how many GFLOP/s the whole step reaches."""


def main() -> None:
    options = _parser().parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 0.03
    torch.set_num_threads(1)
    path = find_digits()
    digits = load_digits(path)[0] if path else stand_in(8000)
    sections, left_out = [], []
    for nets, axes in (((DENSE, CONV), AXES), ((LARGER,), ARCHITECTURES)):
        measured = []
        for net in nets:
            timings, missing = measure_all(net, axes, padded(digits, net.size), options)
            measured += [(net, timings)] if timings else []
            left_out += missing
        rows = [timing for _, timings in measured for timing in timings]
        prices = None
        if axes is AXES:
            prices = find_prices([t.counts for t in rows], [t.seconds for t in rows])
        sections += [section(net, axes, timings, prices) for net, timings in measured]
    if left_out:
        sections.append("## Not timed\n\n" + "\n".join(left_out))
    head = (
        f"# What the members of the axes cost\n\n{hardware('torch', 'zuko')}, one thread. "
        f"{'MNIST' if path else 'Stand-ins for MNIST'}, {options.rounds} rounds, "
        f"{options.clock} clock.\n\n{INTRODUCTION}"
    )
    publish("\n\n".join([head, *sections]), options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="of a turn")
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: where other programs are running"
    )
    parser.add_argument("--only", default="", help="rows whose axis or name holds this")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    return parser


if __name__ == "__main__":
    main()
