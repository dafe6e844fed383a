"""A search of a thousand arms: time per pull, time per decision, and memory as pulls go by.

    python benchmarks/scale.py uniform thompson --out benchmarks/results/scale.md

Synthetic power-law curves with costs that differ between arms are replayed by the controller that
runs live, each policy once for the time (processor time of this process, so that a busy machine
does not count) and once with every allocation traced, which is several times slower.
"""

import argparse
import gc
import time
import tracemalloc
from pathlib import Path

import numpy as np
from common import hardware, publish, spread, table

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, History, Policy
from vaesearch.bandits.synthetic import FAMILIES
from vaesearch.events import Event, PullFinished
from vaesearch.recordings import Curve, Manifest, Recording
from vaesearch.search.replays import replay
from vaesearch.search.state import SearchState

QUARTERS = (25, 50, 75, 100)
SIZES = ((50, 30), (1000, 30))  # arms and epochs of each, where a single decision is timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policies", nargs="*", default=["uniform", "successive-halving"])
    parser.add_argument("--arms", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--pulls", type=int, default=20_000, help="of one epoch each")
    parser.add_argument("--decisions", type=int, default=10, help="timed at each size")
    parser.add_argument("--no-memory", action="store_true", help="leave the traced run out")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    publish(report(options), options.out)


def report(options: argparse.Namespace) -> str:
    head = ["Policy", "Replay, s", "ms per pull"]
    head += [f"Decision at {arms} x {epochs}, ms" for arms, epochs in SIZES]
    memory = [] if options.no_memory else [f"MiB at {q} %" for q in QUARTERS] + ["Bytes per epoch"]
    rows = [row(policy, options) for policy in options.policies]
    title = (
        f"{options.arms} arms on {options.workers} simulated workers, {options.pulls} pulls of "
        f"one epoch. {hardware('numpy')}.\n\nProcessor time; memory is what is held at that share "
        "of the pulls beyond what was held before the first.\n"
    )
    return "\n".join([title, table([*head, *memory], rows)])


def row(policy: str, options: argparse.Namespace) -> list[str]:
    recording = synthetic(options.arms, length=max(40, 4 * options.pulls // options.arms))
    started = time.process_time()
    pulls = search(policy, recording, options)
    taken = time.process_time() - started
    cells = [policy, f"{taken:.1f}", f"{1000 * taken / pulls:.2f}"]
    cells += [spread(decision_times(policy, *size, options.decisions)) for size in SIZES]
    return cells if options.no_memory else cells + held(policy, recording, options)


def synthetic(arms: int, length: int) -> Recording:
    """Power-law curves; an arm's epochs take between half a second and one and a half."""
    rewards = FAMILIES["power"].draw(0, arms, length).rewards
    costs = np.random.default_rng(0).uniform(0.5, 1.5, arms)
    curves = [
        Curve(
            f"arm-{index:04d}", 0, tuple(map(float, values)), (float(cost),) * length,
            (None,) * length, {"decoder": "mlp"},
        )
        for index, (values, cost) in enumerate(zip(rewards, costs, strict=True))
    ]  # fmt: skip
    return Recording(Manifest("synthetic", "reward", "max"), tuple(curves))


def search(policy: str, recording: Recording, options: argparse.Namespace, *observers) -> int:
    """Replay; returns the number of pulls."""
    built: Policy = catalogue.build("policies", policy)
    budget = Budget(epochs=options.pulls, workers=options.workers)
    curves = recording.of_seed(0)
    return replay(recording, curves, built, budget, observers=observers).pulls


def decision_times(policy: str, arms: int, epochs: int, times: int) -> list[float]:
    """Milliseconds of decisions in the middle of a search, one epoch apart.

    The first comes upon a history that no earlier decision has seen, as after a resume.
    """
    built: Policy = catalogue.build("policies", policy)
    rewards = FAMILIES["power"].draw(1, arms, epochs + times).rewards.tolist()
    seconds = (1.0,) * epochs
    history = History(
        Budget(epochs=3 * arms * epochs, workers=4),
        tuple(
            ArmHistory(f"arm-{i:04d}", tuple(r[:epochs]), seconds) for i, r in enumerate(rewards)
        ),
    )
    taken = []
    for number in range(times):
        started = time.process_time()
        decision = built.choose(history, np.random.default_rng(number))
        taken.append(1000 * (time.process_time() - started))
        for name in decision.cut:
            history = history.closed(name, "cut")
        name = decision.arm or history.candidates[0].name
        reward = rewards[int(name.removeprefix("arm-"))][history.arm(name).epochs]
        history = history.started(name, 1).observed(name, [reward], [1.0])
    return taken


def held(policy: str, recording: Recording, options: argparse.Namespace) -> list[str]:
    """Mebibytes held at each quarter, and bytes per epoch between the first and the last."""
    marks = {options.pulls * quarter // 100 for quarter in QUARTERS}
    sizes: list[int] = []
    finished = 0

    def observe(event: Event, state: SearchState) -> None:
        nonlocal finished
        finished += isinstance(event, PullFinished)
        if isinstance(event, PullFinished) and finished in marks:
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])

    gc.collect()
    tracemalloc.start()
    try:
        search(policy, recording, options, observe)
    finally:
        tracemalloc.stop()
    growth = (sizes[-1] - sizes[0]) / (options.pulls * 3 / 4) if len(sizes) > 1 else float("nan")
    return [*(f"{size / 2**20:.1f}" for size in sizes), f"{growth:.0f}"]


if __name__ == "__main__":
    main()
