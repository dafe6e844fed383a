"""Tables of the comparison of `vaesearch tune`, from runs that are made up."""

import argparse
import math
import sys

import numpy as np
import pytest
from tuning import page
from tuning.landscape import Problem
from tuning.record import Run, Step
from tuning.running import Job, run_all, said
from tuning.scores import curve, differences, interval, shares_to_reach

from vaesearch.records import TrialSettings

SETTINGS = TrialSettings("mlp")


def run(method: str, seed: int, *bpds: float, seconds: float = 10.0) -> Run:
    """An epoch of a trial of its own each second."""
    steps = tuple(Step(at, f"trial-{at:03d}", 1, bpd, 0.5) for at, bpd in enumerate(bpds, 1))
    return Run(method, seed, seconds, 0.0, steps, min(bpds) + 0.1, SETTINGS, "code")


def test_the_best_so_far_is_of_what_was_known():
    one = run("tune", 0, 5.0, 4.0, 4.5, 3.0)
    assert one.best_at(0.5) == math.inf
    assert [one.best_at(s) for s in (1, 2, 3.9, 10)] == [5.0, 4.0, 4.0, 3.0]
    assert one.final == 3.0
    assert one.reached(4.2) == 2
    assert one.reached(2.9) == math.inf
    assert one.training == pytest.approx(0.2)


def test_differences_are_of_equal_seeds():
    ours = {0: run("tune", 0, 4.0), 1: run("tune", 1, 3.0), 2: run("tune", 2, 9.0)}
    theirs = {1: run("random", 1, 3.5), 0: run("random", 0, 4.5)}
    found = differences(ours, theirs)
    assert (found.value, found.low, found.high) == (-0.5, -0.5, -0.5)


def test_time_to_a_peers_end_is_a_share_of_the_seconds():
    ours = {0: run("tune", 0, 5.0, 4.0, 3.0), 1: run("tune", 1, 6.0, 5.0)}
    theirs = {0: run("random", 0, 4.0), 1: run("random", 1, 3.0)}
    assert shares_to_reach(ours, theirs, mean=False) == [0.2, math.inf]
    assert shares_to_reach(ours, theirs, mean=True) == [0.3, math.inf]


def test_intervals_hold_the_mean_and_times_that_never_come():
    values = list(np.random.default_rng(1).normal(size=20))
    found = interval(values)
    assert found.low < np.mean(values) < found.high
    assert found == interval(values)
    late = interval([0.1, 0.2, 0.3, math.inf], middle="median")
    assert late.value == 0.3
    assert late.high == math.inf
    assert late.text(1) == "0.3 [0.2, never]"


def test_curves_have_a_row_per_seed():
    rows = curve({0: run("tune", 0, 5.0, 4.0), 1: run("tune", 1, 3.0)}, np.array([0.1, 0.2]))
    assert rows.tolist() == [[5.0, 4.0], [3.0, 3.0]]


def test_the_page_and_its_picture(tmp_path):
    runs = [
        run(method, seed, 5.0 + seed, 4.0 - bonus, 3.9 - bonus)
        for method, bonus in (("tune", 0.5), ("tune-random", 0.2), ("optuna-median", 0.0))
        for seed in (0, 1)
    ]
    text = page.report(runs, Problem(), 10.0, "python benchmarks/tune.py")
    assert "| tune | 5.500 [" in text
    # As good as the peer at its end after the second of ten seconds, in both seeds.
    assert "0.20 [0.20, 0.20]; 2 of 2" in text
    assert "| tune-random | -0.300 [-0.300, -0.300] | -0.300 [-0.300, -0.300] |" in text
    assert "Not all runs are of the same code" not in text
    page.picture(runs, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000


def test_what_is_there_is_not_run_again_and_failures_are_told(tmp_path, capsys):
    there, absent = tmp_path / "there.json", tmp_path / "absent.json"
    there.write_text("kept")
    broken = (sys.executable, "-c", "raise SystemExit('no such thing')")
    jobs = [Job("kept", broken, there), Job("broken", broken, absent)]
    assert run_all(jobs, 2, 1.0) == ["broken: no such thing"]
    assert there.read_text() == "kept"
    assert "1 of 2 runs to do" in capsys.readouterr().err
    assert "no such thing" in absent.with_suffix(".error").read_text()


def test_a_command_says_what_differs_from_the_defaults():
    parser = argparse.ArgumentParser(prog="tune.py")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--methods", type=lambda s: s.split(","), default=["tune"])
    parser.add_argument("--data-dir", default="data")
    options = parser.parse_args(["--methods", "tune,random", "--data-dir", "/secret"])
    shown = said(parser, options, "data_dir")
    assert shown == "python benchmarks/tune.py --methods tune,random"
