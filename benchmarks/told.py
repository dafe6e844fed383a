"""What TPE should be told of trials that a bandit did not train to the end.

Optuna ranks a trial that was given up below all that were completed, by how far it got. Told
instead what each trial is projected to be worth at the cap, it can learn from all of them alike;
or it can be told what they are worth as they are.
Simulated landscapes: in `aligned` early epochs rank as final ones do, in `slow` the best rates
learn slowly, so that curves cross. For example

    python benchmarks/told.py --seeds 20 --out benchmarks/results/told.md
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.config import TuneConfig
from vaesearch.events import SearchStarted
from vaesearch.records import EpochReport
from vaesearch.search.arms import opening_line
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.state import fold
from vaesearch.search.tuning.proposals import Proposer
from vaesearch.search.tuning.source import Admission, TrialSource
from vaesearch.seeding import numpy_generator
from vaesearch.space import Float, Int, Parameter, Space

TRIALS, EPOCHS, CAP, NOISE = 40, 300, 27, 0.01
SPACE = Space(
    (
        Parameter("learning_rate", Float(1e-5, 1e-1, log=True)),
        Parameter("latent_dim", Int(2, 128, log=True)),
        Parameter("alpha", Float(1e-3, 1.0, log=True)),
        Parameter("beta", Float(0.1, 10.0, log=True)),
    )
)
TOLD = {
    "projected": "tpe:told=projected",
    "by rank": "tpe:told=rank",
    "as they are": "tpe:told=current",
    "nothing": "random",
}
POLICIES = ("asha", "thompson")


class Log:
    """A ledger in memory."""

    def __init__(self):
        self.count = 0

    def append(self, event, *, sync=True):
        """Number the event."""
        self.count += 1
        return replace(event, seq=self.count - 1)


class Landscape(ReplayBackend):
    """Plays curves back that follow from settings."""

    def __init__(self, kind, seed):
        super().__init__({"": [EpochReport(1, 0.0, 1.0, {})]})
        self.kind, self.seed = kind, seed
        rng = numpy_generator(seed, "landscape")
        self.optimum = rng.uniform(0.25, 0.75, 4)

    def final(self, settings):
        """The reward without noise at the cap."""
        return self.curve(settings)[-1]

    def curve(self, s):
        """Rewards without noise, one per epoch."""
        at = np.array([
            (math.log10(s.learning_rate) + 5) / 4, math.log2(s.latent_dim / 2) / 6,
            (math.log10(s.alpha) + 3) / 3, (math.log10(s.beta) + 1) / 2,
        ])  # fmt: skip
        worth = -4 - float(np.sum(np.array([2.0, 0.5, 0.2, 0.5]) * (at - self.optimum) ** 2))
        pace = 4.0 if self.kind == "aligned" else 2 + 16 * (1 - at[0]) ** 2
        return worth - 2 * np.exp(-np.arange(1, CAP + 1) / pace)

    def submit(self, job, worker):
        """Play the curve of the job's arm."""
        noise = numpy_generator(self.seed, job.arm.name).normal(0, NOISE, CAP)
        rewards = self.curve(job.arm.settings) + noise
        self._curves[job.arm.name] = [
            EpochReport(n, float(r), 1.0, {"bpd": float(-r)})
            for n, r in enumerate(rewards, start=1)
        ]
        super().submit(job, worker)


def search(kind, policy, sampler, seed):
    """The reward at the cap of the arm that is recommended, less the best possible one."""
    config = TuneConfig(
        decoders="mlp", encoders="mlp", trials=TRIALS, epochs=EPOCHS, policy=policy,
        max_epochs_per_arm=CAP, backend="local", seed=seed, sampler=sampler,
    ).resolved(images=1000, channels=1)  # fmt: skip
    proposer = Proposer(SPACE, sampler, seed)
    chooser = catalogue.build("policies", config.policy)
    admission = Admission(lambda arm: opening_line(arm, 1, None))
    backend = Landscape(kind, seed)
    controller = Controller(
        Log(), fold((), Budget(EPOCHS, None, CAP, 1, TRIALS)), chooser, backend, seed=seed,
        source=TrialSource(config, proposer, chooser, admission),
    )  # fmt: skip
    controller.record(SearchStarted("id", "0", config.to_dict(), {}))
    controller.run()
    found = controller.state.arms[controller.state.ranking[0]]
    best = -4 - 2 * math.exp(-CAP / 4.0)
    return best - backend.final(found.arm.settings), len(controller.state.arms)


def table(seeds):
    """Mean regrets with their standard errors, and the paired comparison of the first two."""
    head = "| landscape | policy | " + " | ".join(TOLD) + " | projected better in | p |"
    yield head
    yield "|" + "---|" * (head.count("|") - 1)
    for kind in ("aligned", "slow"):
        for policy in POLICIES:
            found = {
                name: np.array([search(kind, policy, spec, s)[0] for s in range(seeds)])
                for name, spec in TOLD.items()
            }
            cells = [f"{v.mean():.3f} ± {v.std(ddof=1) / seeds**0.5:.3f}" for v in found.values()]
            gain = found["by rank"] - found["projected"]
            p = stats.wilcoxon(gain).pvalue if np.any(gain) else 1.0
            yield (
                f"| {kind} | {policy} | " + " | ".join(cells)
                + f" | {int(np.sum(gain > 0))} of {seeds} | {p:.2g} |"
            )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = [
        "# What a sampler is told",
        "",
        f"Regret in reward of the recommended trial at the cap (lower is better), mean ± standard "
        f"error over {options.seeds} seeds; {TRIALS} trials at most, {EPOCHS} epochs, cap {CAP}. "
        "p is of a paired Wilcoxon test, projected against by rank. "
        "Simulated: `python benchmarks/told.py`.",
        "",
    ]
    for line in table(options.seeds):
        print(line, flush=True)
        lines.append(line)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
