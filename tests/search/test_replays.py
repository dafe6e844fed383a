from dataclasses import replace

import pytest
from replays import CURVES

from vaesearch import catalogue
from vaesearch.bandits.core import Budget, Decision
from vaesearch.events import ArmAppraised, ArmFailed, PullFinished, SearchResumed
from vaesearch.recordings import Curve, Manifest, Recording, recording_to_bytes
from vaesearch.search.replays import cut_short, recording_of, replay, trace_of

MANIFEST = Manifest("none", "bpd", "min")


def recorded(**curves):
    """A recording whose epochs take a second each; a list of bits/dim per arm."""
    return Recording(
        MANIFEST,
        tuple(
            Curve(arm, 0, tuple(valid), (1.0,) * len(valid), (None,) * len(valid))
            for arm, valid in curves.items()
        ),
    )


def played(recording, policy, budget, **options):
    """The events of a replay, and the state at its end."""
    events = []
    policy = catalogue.build("policies", policy) if isinstance(policy, str) else policy
    state = replay(
        recording, recording.of_seed(0), policy, budget,
        observers=(lambda event, _: events.append(event),), **options,
    )  # fmt: skip
    return events, state


def pulls(events):
    return [
        (e.arm, [r["epoch"] for r in e.reports]) for e in events if isinstance(e, PullFinished)
    ]


# A pruner goes trial by trial, and arms that it never came to are in no recording.
@pytest.mark.parametrize("policy", [e.name for e in catalogue.POLICIES if e.name != "pruner"])
@pytest.mark.parametrize("seed", [0, 5])
def test_a_search_is_reproduced_from_its_own_recording(start, policy, seed):
    budget = Budget(epochs=40)
    controller, ledger = start("ledger.jsonl", catalogue.build("policies", policy), budget,
                               seed=seed)  # fmt: skip
    controller.run()
    recording = recording_of(controller.state)
    assert recording.seeds == [seed]
    events, state = [], None
    state = replay(
        recording, recording.of_seed(seed), catalogue.build("policies", policy), budget,
        seed=seed, announced=False, observers=(lambda event, _: events.append(event),),
    )  # fmt: skip
    assert pulls(events) == pulls(ledger.events)
    assert state.history.arms == controller.state.history.arms
    assert [s.reward for s in trace_of(events).steps] == [
        s.reward for s in trace_of(ledger.events).steps
    ]


def test_a_recording_says_what_the_search_saw(start):
    controller, _ = start("ledger.jsonl", catalogue.build("policies", "uniform"), Budget(epochs=5))
    controller.run()
    controller.record(ArmAppraised("late", 1, {"bpd": 7.9}))
    controller.record(ArmFailed("slow", "loss is nan"))
    state = replace(controller.state, config={"dataset": "blobs", "reward": "bpd", "seed": 0})
    recording = recording_of(state, hardware="abacus", software={"torch": "0"})
    assert recording.manifest == Manifest("blobs", "bpd", "min", "abacus", software={"torch": "0"})
    curves = recording.of_seed(0)
    assert curves["late"].valid == tuple(-r.reward for r in CURVES["late"][:2])
    assert curves["late"].test == (7.9, None)
    assert curves["fast"].test == (None, None)
    assert (curves["slow"].failed, curves["late"].failed) == ("loss is nan", None)
    assert curves["fast"].settings["decoder"] == "mlp"
    assert recording_to_bytes(recording)


@pytest.mark.parametrize(
    ("reward", "direction", "sign"),
    [("bpd", "min", -1), ("elbo", "max", 1), ("reconstruction", "max", 1)],
)
def test_a_recording_holds_the_metric_of_the_reward(start, reward, direction, sign):
    controller, _ = start("ledger.jsonl", catalogue.build("policies", "uniform"), Budget(epochs=3))
    controller.run()
    recording = recording_of(replace(controller.state, config={"reward": reward}))
    assert (recording.manifest.metric, recording.manifest.direction) == (reward, direction)
    assert recording.of_seed(0)["fast"].valid[0] == sign * CURVES["fast"][0].reward


def test_an_arm_that_was_never_trained_is_left_out(start):
    controller, _ = start("ledger.jsonl", catalogue.build("policies", "uniform"), Budget(epochs=2))
    controller.run()
    assert set(recording_of(controller.state).of_seed(0)) == {"fast", "late"}


class Stubborn:
    """Wants six epochs of "a" at once, then of whatever is left."""

    def choose(self, history, rng):
        return Decision(history.candidates[0].name, "because", epochs=6)


def test_an_arm_ends_with_its_curve_and_the_search_goes_on():
    recording = recorded(a=[5.0, 4.0], b=[6.0, 5.5, 5.4, 5.3])
    events, state = played(recording, Stubborn(), Budget(epochs=5), announced=False)
    assert pulls(events) == [("a", [1, 2]), ("b", [1, 2, 3])]
    assert state.history.arm("a").status == "cut"
    assert cut_short(events) == {"a"}
    assert trace_of(events).found().reward == -4.0  # a cut arm's checkpoint is still handed out


def test_an_arm_whose_curve_is_spent_is_open_until_more_is_wanted():
    recording = recorded(a=[5.0], b=[6.0, 5.5])
    events, state = played(recording, "uniform", Budget(epochs=2), announced=False)
    assert not cut_short(events)
    assert [a.status for a in state.history.arms] == ["open", "open"]
    _, state = played(recording, "uniform", Budget(epochs=3), announced=False)
    assert [(a.status, a.epochs) for a in state.history.arms] == [("cut", 1), ("open", 2)]


def test_an_arm_that_its_policy_cuts_is_not_cut_short():
    curves = {name: [9.0 - level] * 20 for level, name in enumerate("abcd")}
    events, state = played(recorded(**curves), "successive-halving", Budget(epochs=40),
                           announced=False)  # fmt: skip
    assert [a.status for a in state.history.arms].count("cut") == 2
    assert not cut_short(events)


def test_every_curve_may_end_before_the_budget_does():
    recording = recorded(a=[5.0], b=[6.0, 5.5])
    for announced in (True, False):
        _, state = played(recording, "uniform", Budget(epochs=9), announced=announced)
        assert state.history.spent == 3
        assert not state.flights


def test_a_curve_that_ends_costs_no_time_of_a_deadline():
    recording = recorded(a=[5.0, 4.0], b=[6.0] * 10)
    _, state = played(recording, Stubborn(), Budget(seconds=7.0), announced=False)
    assert [a.epochs for a in state.history.arms] == [2, 5]


def test_a_failed_arm_fails_again_and_a_deadline_comes_first():
    good = recorded(a=[5.0, 4.0], b=[6.0] * 10)
    curves = (replace(good.curves[0], failed="loss is nan"), good.curves[1])
    recording = Recording(MANIFEST, curves)
    for announced in (True, False):
        events, state = played(recording, Stubborn(), Budget(seconds=6.0), announced=announced)
        assert state.history.arm("a").status == "failed"
        assert state.arms["b"].epoch == 4  # the failure did not use up the clock
        assert trace_of(events).failed == {"a": 0}
        assert trace_of(events).found().arm == "b"
    _, state = played(recording, Stubborn(), Budget(seconds=1.5))
    assert state.history.arm("a").status == "open"


def test_a_trace_counts_epochs_and_the_clock_of_the_search():
    recording = recorded(a=[5.0, 4.0], b=[6.0, 5.5])
    events, _ = played(recording, "uniform", Budget(epochs=4, workers=2))
    steps = trace_of(events).steps
    assert [(s.spent, s.arm, s.epoch, s.reward, s.seconds) for s in steps] == [
        (1, "a", 1, -5.0, 1.0), (2, "b", 1, -6.0, 1.0),
        (3, "a", 2, -4.0, 2.0), (4, "b", 2, -5.5, 2.0),
    ]  # fmt: skip


def test_a_trace_leaves_the_gaps_between_processes_out():
    reports = [{"epoch": 1, "reward": -4.0}]
    events = [
        PullFinished(0, "a", reports, {}, "w", time=10.0),
        SearchResumed("0", time=500.0),
        PullFinished(1, "a", [{"epoch": 2, "reward": -3.0}], {}, "w", time=502.0),
    ]
    assert [s.seconds for s in trace_of(events).steps] == [0.0, 2.0]


def test_settings_of_others_do_not_hinder_a_replay():
    recording = recorded(a=[5.0])
    odd = replace(recording.curves[0], settings={"layers": 3, "width": 0.5})
    recording = Recording(MANIFEST, (odd,))
    _, state = played(recording, "uniform", Budget(epochs=1))
    assert state.arms["a"].arm.settings.width == 0.5


def test_the_recording_of_a_replay_is_the_recording():
    recording = recorded(a=[5.0, 4.0], b=[6.0, 5.5])
    _, state = played(recording, "uniform", Budget())
    again = recording_of(state).of_seed(0)
    assert {n: (c.valid, c.seconds) for n, c in again.items()} == {
        n: (c.valid, c.seconds) for n, c in recording.of_seed(0).items()
    }
