"""A search of a thousand arms: time per pull, time per decision, and memory as pulls go by.

Power-law curves with costs that differ between arms are replayed by the controller that runs live,
once for the time and once with every allocation traced, which is several times slower.
"""

import gc
import time
import tracemalloc

import numpy as np
from common import spread, table

from vaesearch import catalogue
from vaesearch.bandits.core import ArmHistory, Budget, History, Policy
from vaesearch.bandits.synthetic import FAMILIES
from vaesearch.events import Event, PullFinished
from vaesearch.recordings import Curve, Manifest, Recording
from vaesearch.search.controller import Observer
from vaesearch.search.replays import replay
from vaesearch.search.state import SearchState

ARMS, WORKERS = 1000, 100
QUARTERS = (25, 50, 75, 100)
SIZES = ((50, 30), (1000, 30))  # arms and epochs of each, where a single decision is timed


def report(pulls: int, decisions: int) -> str:
    """Tables of time and memory of whole searches, and of single decisions."""
    head = ["Policy", "ms per pull", *(f"MiB at {q} %" for q in QUARTERS), "Bytes per epoch"]
    rows = [_row(policy, pulls) for policy in ("auto", "uniform")]
    timed = [
        [name, *(spread(decision_times(name, *size, decisions)) for size in SIZES)]
        for name in ("auto", "thompson", "ucb", "expected-improvement", "asha", "curve-halving")
    ]
    sizes = ["Policy", *(f"{arms} arms of {epochs} epochs" for arms, epochs in SIZES)]
    return (
        f"{ARMS} arms on {WORKERS} simulated workers, {pulls} pulls of one epoch; processor time. "
        "Memory is what is held at that share of the pulls beyond what was held before the first."
        f"\n\n{table(head, rows)}\n\nMilliseconds of single decisions in the middle of a "
        f"search:\n\n{table(sizes, timed)}"
    )


def _row(policy: str, pulls: int) -> list[str]:
    recording = synthetic(ARMS, length=max(40, 4 * pulls // ARMS))
    started = time.process_time()
    done = _search(policy, recording, pulls)
    taken = time.process_time() - started
    return [policy, f"{1000 * taken / done:.2f}", *_held(policy, recording, pulls)]


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


def _search(policy: str, recording: Recording, pulls: int, *observers: Observer) -> int:
    """Replay; returns the number of pulls."""
    built: Policy = catalogue.build("policies", policy)
    budget = Budget(epochs=pulls, workers=WORKERS)
    return replay(recording, recording.of_seed(0), built, budget, observers=observers).pulls


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


def _held(policy: str, recording: Recording, pulls: int) -> list[str]:
    """Mebibytes held at each quarter, and bytes per epoch between the first and the last."""
    marks = {pulls * quarter // 100 for quarter in QUARTERS}
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
        _search(policy, recording, pulls, observe)
    finally:
        tracemalloc.stop()
    growth = (sizes[-1] - sizes[0]) / (pulls * 3 / 4) if len(sizes) > 1 else float("nan")
    return [*(f"{size / 2**20:.1f}" for size in sizes), f"{growth:.0f}"]
