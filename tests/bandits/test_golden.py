"""Decision traces of every policy on one curve set: a change of behaviour cannot go unnoticed.

After a change that is meant, regenerate with ``VAESEARCH_REGENERATE_GOLDEN=1 pytest
tests/bandits/test_golden.py`` and read the diff.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from vaesearch import catalogue
from vaesearch.bandits.synthetic import CurveSet, run_policy

GOLDEN = Path(__file__).parents[1] / "golden"
# Curves without random numbers, so that no library's generator decides what they are; dyadic
# noise. The last arm is the late bloomer, the second diverges at its fifth epoch.
EPOCHS = np.arange(24.0)
TRUTH = np.stack([final - np.exp(-EPOCHS / pace) for final, pace in
                  [(-3.3, 2.0), (-3.2, 3.0), (-3.5, 1.5), (-3.0, 6.0)]])  # fmt: skip
NOISE = (np.outer([7, 11, 13, 17], EPOCHS + 1) % 8 - 3.5) / 512
REWARDS = np.where((np.arange(4)[:, None] == 1) & (EPOCHS >= 4), np.nan, TRUTH + NOISE)


class Recorder:
    """A policy that keeps what another one decided."""

    def __init__(self, policy):
        self.policy = policy
        self.trace = []

    def choose(self, history, rng):
        decision = self.policy.choose(history, rng)
        cut = f" cut {', '.join(sorted(decision.cut))}" if decision.cut else ""
        self.trace.append(f"{decision.arm}{cut}")
        return decision


@pytest.mark.parametrize("name", [entry.name for entry in catalogue.POLICIES])
def test_trace(name):
    recorder = Recorder(catalogue.build("policies", name))
    run_policy(recorder, CurveSet(TRUTH, REWARDS), 40, seed=7, workers=2)
    path = GOLDEN / f"{name}.json"
    if os.environ.get("VAESEARCH_REGENERATE_GOLDEN"):
        path.write_text(json.dumps(recorder.trace, indent=0) + "\n", encoding="utf-8")
    assert recorder.trace == json.loads(path.read_text(encoding="utf-8"))
