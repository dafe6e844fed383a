"""That the scaling benchmark counts what it says it does; no clock is compared with another."""

import pytest
from throughput import page, recorded, simulated
from throughput.proposed import measure as measure_proposed
from throughput.real import Pace
from throughput.simulated import Cost, Load
from throughput.sleeping import Sleeper
from throughput.watch import Watch, Watched

from vaesearch.records import Arm, PullRequest, TrialSettings

COST = Cost(decision=1.0, proposal=0.0, ledger=0.5, observers=0.0, rest=0.5, disk=2.0, used=0.5)


def test_no_two_recorded_arms_are_equal():
    curves = recorded.reports(400)
    assert len(curves) == 400
    assert len({tuple(r.reward for r in curve) for curve in curves.values()}) == 400
    assert {len(curve) for curve in curves.values()} == {recorded.LENGTH}


@pytest.mark.parametrize("policy", ["uniform", "thompson"])
def test_simulated_search_is_timed_in_every_part(policy, tmp_path):
    cost = simulated.measure(Load(policy, arms=8, workers=4, pulls=10), tmp_path)
    assert min(cost.decision, cost.ledger, cost.rest, cost.disk) > 0
    assert cost.proposal == cost.observers == 0
    assert 0 < cost.used <= 1
    assert list(tmp_path.iterdir()) == []


def test_more_workers_than_arms_are_seen_to_wait(tmp_path):
    many = simulated.measure(Load("uniform", 8, 4, 20, ledger=False), tmp_path)
    few = simulated.measure(Load("uniform", 8, 64, 20, ledger=False), tmp_path)
    assert few.used < many.used / 2


def test_window_holds_as_many_pulls_as_asked(tmp_path):
    """The search ends behind the last, and first looks are not in it."""
    watch = Watch()
    backend = simulated.ReplayBackend(recorded.reports(4), 2)
    window = simulated.Window(3, 5, watch, backend)
    log = simulated.MemoryLog(backend)
    controller = simulated.make(
        log, simulated.Budget(epochs=80, workers=2), "uniform", backend, watch, window
    )
    for name in recorded.reports(4):
        controller.record(simulated.ArmAdded(name, {"decoder": "mlp"}, 1))
    assert controller.run() == "enough"
    assert controller.state.pulls == 3 + 5
    assert len(window.marks) == 2


def test_proposals_and_observers_are_timed(tmp_path):
    cost = measure_proposed(4, 6, "sqlite", tmp_path, trials=12)
    assert cost.proposal > 0
    assert cost.observers > 0


def test_watch_adds_up_and_passes_on():
    class Inner:
        kept = 3

        def double(self, number):
            return 2 * number

    watch = Watch()
    watched = Watched(Inner(), watch, "doubling", ("double",))
    assert watched.double(4) == 8
    assert watched.kept == 3
    assert set(watch.wall) == {"doubling"}
    watch.clear()
    assert not watch.wall


def test_sleeper_reports_the_epochs_it_was_asked_for():
    report = Sleeper(0.0).carry_out(PullRequest(7, Arm("a", TrialSettings("mlp")), 3, 2))
    assert [r.epoch for r in report.epochs] == [4, 5]
    assert list(report.checkpoints) == [5]


def test_workers_fed_follow_from_milliseconds():
    """4 ms of the controller and 1 ms in Ray's calls: 200 pulls a second."""
    row = page.fed({"auto": [COST]}, in_ray=1.0).splitlines()[-1]
    assert row == "| auto | 5.00 | 200 | 2,000 | 12,000 |"


def test_efficiency_is_of_the_same_repeat():
    found = {
        ("bare actors", 1): [Pace(4.0, 0.9), Pace(2.0, 0.9)],
        ("bare actors", 2): [Pace(6.0, 0.8), Pace(4.0, 0.9)],
    }
    row = page.real(found).splitlines()[-1]
    assert "| 0.88 (0.75-1.00) |" in row
