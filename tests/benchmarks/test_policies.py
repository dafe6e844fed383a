"""The comparison of policies on recorded curves: draws, drives, scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import STANDARD, Instance, Pool, draw
from peers.drive import drive
from peers.optuna_pruners import OptunaStudy, pruner
from peers.ray_tune import RayTune, asha_scheduler, hyperband_scheduler
from peers.report import report_epsilon_greedy
from runs import Cache, Run, Task, play_policy
from scores import Cell, compare, ranks, score

from vaesearch.recordings import Curve, Manifest, Recording

ARMS = (*STANDARD, "mlp+mlp", "mlp+deconv")


def curve(arm, seed=0, valid=(3.0, 2.0), test=None, seconds=1.0):
    return Curve(
        arm, seed, tuple(valid), (seconds,) * len(valid), tuple(test or valid), {"batch_size": 8}
    )


def make_pool(curves):
    manifest = Manifest("toy", "bpd", "min", data={"counts": {"train": 24}})
    return Pool(Recording(manifest, tuple(curves)), tuple(curves), ())


def make_instance(*curves):
    return Instance(make_pool(curves), 0, {f"{c.arm}#{c.seed}": c for c in curves})


def falling(count, epochs=12):
    """Arms whose curves cross: the later ones start worse and end better."""
    n = np.arange(1, epochs + 1)
    return make_instance(
        *(
            curve(f"arm-{i}", valid=2 - 0.1 * i + (1 + 0.5 * i) * n**-1.0, seconds=1.0 + 1.5 * i)
            for i in range(count)
        )
    )


POOL = make_pool([curve(a, s, (3.0 + s, 2.0 - 0.1 * s)) for a in ARMS for s in range(3)])


def test_draw_standard_five_of_each_seed_first():
    for seed in range(3):
        assert set(draw(POOL, 5, seed).names) == {f"{arm}#{seed}" for arm in STANDARD}


def test_draw_is_a_function_of_its_number():
    assert draw(POOL, 5, 7).names == draw(POOL, 5, 7).names
    assert len({draw(POOL, 5, n).names for n in range(3, 13)}) > 5


def test_draw_takes_distinct_kinds_while_there_are_enough():
    kinds = [name.partition("#")[0] for name in draw(POOL, 7, 0).names]
    assert sorted(kinds) == sorted(ARMS)
    assert len(set(draw(POOL, 20, 0).names)) == 20


def test_draw_is_none_where_too_little_is_recorded():
    assert draw(POOL, 22, 0) is None


def test_truth_of_an_instance():
    instance = make_instance(
        curve("a", valid=(3.0, 2.0, 2.5), test=(3.0, 2.1, 2.0)),
        curve("b", valid=(2.5, 2.4, 1.9), test=(2.6, 2.5, 2.2)),
    )
    np.testing.assert_allclose(instance.kept(2), [-2.1, -2.5])
    np.testing.assert_allclose(instance.kept(3), [-2.1, -2.2])  # a turned up again
    assert instance.goal == pytest.approx(-1.919)
    assert instance.oracle_epochs == 3
    assert [instance.epochs(share) for share in (0.5, 1.0)] == [3, 6]


def test_score_by_hand():
    instance = make_instance(
        curve("a", valid=(3.0, 2.0, 2.5), test=(3.0, 2.1, 2.0)),
        curve("b", valid=(2.5, 2.4, 1.9), test=(2.6, 2.5, 2.2)),
    )
    run = Run(Task("x", "toy", 2, 0, 1.0, 0), "b#0", 2, 6, 4.5, 0.1)
    found = score(run, instance)
    assert found["regret"] == pytest.approx(400)  # 2.5 on test; a's kept checkpoint has 2.1
    assert found["identification"] == pytest.approx(100)  # b ends at 2.2
    assert (found["error"], found["far"], found["ratio"], found["near"]) == (1, 1, 1.5, 1)


class Greedy:
    """Runs every arm to its end, pausing it after every third epoch."""

    def __init__(self, arms, cap):
        self.waiting = list(range(arms))
        self.cap = cap

    def next(self):
        return self.waiting.pop(0) if self.waiting else None

    def report(self, arm, epoch, reward):
        if epoch % 3 == 0 and epoch < self.cap:
            self.waiting.append(arm)
            return "pause"
        return "continue"


@given(st.integers(1, 6), st.integers(1, 80), st.integers(1, 8))
def test_drive_spends_the_budget_in_order(arms, epochs, workers):
    instance = falling(arms)
    trace = drive(Greedy(arms, instance.cap), instance, epochs, workers)
    assert len(trace) == min(epochs, arms * instance.cap)
    assert [step.spent for step in trace] == list(range(1, len(trace) + 1))
    for arm in range(arms):
        seen = [step.epoch for step in trace if step.arm == arm]
        assert seen == list(range(1, len(seen) + 1))


def test_drive_overlaps_workers_on_the_recorded_clock():
    instance = falling(2)  # the second arm takes 2.5 times as long
    trace = drive(Greedy(2, instance.cap), instance, 6, workers=2)
    assert [step.arm for step in trace] == [0, 0, 1, 0, 0, 1]


def test_report_trains_whole_epochs_of_batches():
    instance = falling(3)
    trace = report_epsilon_greedy(instance, 20, seed=1)
    assert 20 - 3 < len(trace) <= 20  # up to an epoch of every arm is not complete
    assert trace == report_epsilon_greedy(instance, 20, seed=1)
    assert all(step.spent * instance.batches % 1 == pytest.approx(0) for step in trace)


def test_our_policy_is_played_by_the_controller():
    trace = play_policy("uniform", falling(3), 9, 0, 1)
    assert sorted((step.arm, step.epoch) for step in trace) == [
        (arm, epoch) for arm in range(3) for epoch in (1, 2, 3)
    ]


def test_our_policy_does_not_see_what_an_arm_is_called():
    one = make_instance(curve("a", valid=(3.0, 1.0)), curve("b", valid=(2.0, 1.5)))
    other = make_instance(curve("z", valid=(3.0, 1.0)), curve("b", valid=(2.0, 1.5)))
    for spec in ("uniform", "successive-halving", "asha"):
        assert play_policy(spec, one, 3, 0, 1) == play_policy(spec, other, 3, 0, 1)


def test_ray_asha_stops_what_is_below_the_cutoff():
    pytest.importorskip("ray.tune", exc_type=ImportError)
    instance = make_instance(
        *(curve(f"arm-{i}", valid=[level] * 8) for i, level in enumerate((1.0, 2.0, 0.5)))
    )
    scheduler = asha_scheduler(instance.cap, reduction_factor=2)
    trace = drive(RayTune(scheduler, 3), instance, 24)
    assert [max(s.epoch for s in trace if s.arm == arm) for arm in range(3)] == [8, 1, 8]


def test_ray_hyperband_pauses_and_resumes():
    pytest.importorskip("ray.tune", exc_type=ImportError)
    instance = falling(12, epochs=27)
    trace = drive(RayTune(hyperband_scheduler(instance.cap), 12), instance, 12 * 27)
    reached = [max(s.epoch for s in trace if s.arm == arm) for arm in range(12)]
    # Four whole trials, then a bracket of six that starts with nine epochs and keeps two.
    assert sorted(reached[:10]) == [9, 9, 9, 9, 27, 27, 27, 27, 27, 27]
    assert trace == drive(RayTune(hyperband_scheduler(instance.cap), 12), instance, 12 * 27)


def test_optuna_median_prunes_after_its_first_trials():
    pytest.importorskip("optuna")
    instance = make_instance(*(curve(f"arm-{i}", valid=[1.0 + i] * 4) for i in range(3)))
    study = OptunaStudy(pruner("MedianPruner", n_startup_trials=1), 3, instance.cap, 0)
    trace = drive(study, instance, 12)
    assert [max(s.epoch for s in trace if s.arm == arm) for arm in range(3)] == [4, 1, 1]


def test_ranks_share_ties():
    found = ranks(np.array([[3.0, 1.0], [1.0, 1.0], [1.0, 1.0]]))
    np.testing.assert_allclose(found, [[3.0, 2.0], [1.5, 2.0], [1.5, 2.0]])


def test_compare_is_paired():
    noise = np.linspace(0, 1000, 30)
    regrets = np.array([noise, noise + 1, np.flip(noise)])
    cell = Cell("toy", 5, 1.0, ("a", "b", "c"), {"regret": regrets}, {})
    assert compare(cell, "a", "b") == "win"
    assert compare(cell, "b", "a") == "loss"
    assert compare(cell, "a", "c") == "tie"


def test_cache_answers_only_for_the_same_curves(tmp_path):
    run = Run(Task("uniform", "toy", 2, 0, 1.0, 0), "a", 2, 6, None, 0.1)
    Cache(tmp_path / "runs.jsonl").add([(run, "digest")])
    again = Cache(tmp_path / "runs.jsonl")
    assert again.get(run.task, "digest") == run
    assert again.get(run.task, "other") is None
