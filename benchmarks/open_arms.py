"""Policies in searches whose arms are proposed while they run, on recorded settings.

    python benchmarks/open_arms.py --seeds 30 --out benchmarks/results/open_arms.md

A search ends when its epochs are spent; an arm has 30 at most. Regret: how much worse the best
checkpoint is than the best recorded one, on validation images, in thousandths of a bit/dim.
"""

import argparse
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from common import hardware, publish, table
from open_groups import CASES, RoundRobin, in_order, problem
from open_sets import Settings, best_so_far, search

from vaesearch import catalogue
from vaesearch.bandits.auto import AutoPolicy
from vaesearch.bandits.core import Budget, Policy
from vaesearch.recordings import read_recording

CAP = 30
MARKS = (30, 60, 100, 150, 200, 300)
SHORT = (30, 60, 100)
YARDSTICK = "pruner:median"
POLICIES = (
    "pruner:none", YARDSTICK, "pruner:hyperband", "pruner:successive-halving",
    "expected-improvement", "asha:eta=2", "asha:eta=3", "asha:eta=4", "auto",
)  # fmt: skip
CURVES = Path(__file__).parent / "curves"
_INTRO = """\
`pruner:none` trains each proposal to the end, so that with a sampler that learns nothing it is
random search; `pruner:*` go trial by trial as `study.optimize` does; `expected-improvement` has
five arms open at a time. That one in three is promoted was chosen on `digits, mlp`, in both
orders; the other curves had no part in it. The choice among groups was mended once on the
synthetic cases below, after a first table of 12 seeds. `to median's`: epochs, in the median over
seeds, until the best checkpoint is as good as what `pruner:median` has at the end; in brackets in
how many of the searches it got there. Behind ± a standard error.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    command = f"python benchmarks/open_arms.py --seeds {options.seeds}"
    parts = ["# Searches whose arms join while they run\n"]
    parts += [f"`{command}`; {hardware('numpy', 'optuna')}; {options.seeds} seeds.\n", _INTRO]
    for title, settings, sampler, marks in landscapes():
        found = {name: runs(settings, name, marks, options.seeds, sampler) for name in POLICIES}
        parts += [f"## {title}, {marks[-1]} epochs\n", compared(found, marks), ""]
        print(parts[-3], parts[-2], flush=True)
    parts += ["# Groups\n", _GROUPS, grouped(options.seeds)]
    publish("\n".join(parts), options.out)


def landscapes() -> list[tuple[str, Settings, str, Sequence[int]]]:
    """Title, settings, sampler and marks of each table."""
    digits = read_recording(CURVES / "digits-settings.json.gz")
    mlp, deconv = Settings.of(digits, ["mlp"]), Settings.of(digits, ["deconv"])
    found = [
        (f"digits, mlp: {len(mlp.reports)} settings in random order", mlp, "random", MARKS),
        (f"digits, mlp: {len(mlp.reports)} settings in random order", mlp, "random", SHORT),
        ("digits, mlp: what is nearest to TPE's proposals", mlp, "tpe", MARKS),
        (f"digits, deconv: {len(deconv.reports)} settings in random order", deconv, "random",
         SHORT),
    ]  # fmt: skip
    for name in ("mnist-variants", "mnist-architectures", "cifar10-architectures"):
        settings = Settings.of(read_recording(CURVES / f"{name}.json.gz"))
        title = f"{name}: {len(settings.reports)} curves in random order"
        found.append((title, settings, "random", MARKS[:4]))
    return found


def runs(
    settings: Settings, name: str, marks: Sequence[int], seeds: int, sampler: str
) -> np.ndarray:
    """Regret after each epoch, shape (seeds, epochs)."""
    policy: Policy = catalogue.build("policies", name)
    budget = Budget(epochs=marks[-1], cap=CAP, trials=len(settings.reports))
    best = max(r.reward for curve in settings.reports.values() for r in curve[:CAP])
    return np.array([
        best - best_so_far(search(settings, policy, budget, seed, sampler=sampler)[1], marks[-1])
        for seed in range(seeds)
    ])  # fmt: skip


def compared(found: Mapping[str, np.ndarray], marks: Sequence[int]) -> str:
    """A row per policy."""
    goal = found[YARDSTICK][:, -1]
    rows = []
    for name, regret in found.items():
        there = regret <= goal[:, None]
        first = np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, np.inf)
        middle = float(np.median(first))
        shown = f"{middle:.0f}" if np.isfinite(middle) else f"> {marks[-1]}"
        cells = [f"{1000 * regret[:, mark - 1].mean():.0f}" for mark in marks]
        cells[-1] += f" ± {1000 * regret[:, -1].std(ddof=1) / len(regret) ** 0.5:.0f}"
        rows.append([f"`{name}`", *cells, f"{shown} ({there.any(axis=1).sum()})"])
    return table(["policy", *map(str, marks), "to median's"], rows)


_GROUPS = """\
Synthetic: arms of a group end at some distance of the group's best, which shrinks as the group is
tuned; regret to the best of all groups. `bandit` is `auto`; `round robin` the same with the
groups in turn; `flat` the same where no group is known and the sampler draws one at random. The
last column is the share of epochs that the best group got.
"""


def grouped(seeds: int) -> str:
    """A row per case and way of choosing."""
    rows = []
    ways: dict[str, tuple[Callable[[], Policy], bool]] = {
        "bandit": (AutoPolicy, True),
        "round robin": (lambda: RoundRobin(AutoPolicy()), True),
        "flat": (AutoPolicy, False),
    }
    for case, groups in CASES.items():
        top = max(group.best for group in groups)
        good = f"group{[group.best for group in groups].index(top)}"
        for way, (make, known) in ways.items():
            regrets, shares = [], []
            for seed in range(seeds):
                settings = problem(groups, seed)
                names = sorted(set(settings.groups.values()))
                _, steps = search(
                    settings, make(), Budget(epochs=MARKS[-1], cap=CAP, trials=10**6), seed,
                    groups=names if known else ("",), pick=in_order(settings, seed),
                )  # fmt: skip
                regrets.append(top - best_so_far(steps, MARKS[-1]))
                shares.append(np.mean([settings.groups[step.arm] == good for step in steps]))
            regret = np.array(regrets)
            cells = [f"{1000 * regret[:, mark - 1].mean():.0f}" for mark in MARKS]
            cells[-1] += f" ± {1000 * regret[:, -1].std(ddof=1) / seeds**0.5:.0f}"
            rows.append([case, way, *cells, f"{np.mean(shares):.0%}"])
    return table(["case", "groups", *map(str, MARKS), "share"], rows)


if __name__ == "__main__":
    main()
