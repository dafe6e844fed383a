import pickle
from dataclasses import replace

from vaesearch.bandits.core import Budget
from vaesearch.events import (
    ArmAdded,
    ArmAppraised,
    ArmCut,
    ArmFailed,
    DecisionMade,
    PullFailed,
    PullFinished,
    PullStarted,
    SearchFinished,
    SearchResumed,
    SearchStarted,
)
from vaesearch.search.state import elapsed_seconds, fold

SETTINGS = {"decoder": "mlp"}
OPENING = [
    SearchStarted("id", "0", {"epochs": 10}, {}, time=100.0),
    ArmAdded("a", SETTINGS, 7, time=100.0),
    ArmAdded("b", SETTINGS, 9, time=101.0),
]
DECIDED = [*OPENING, DecisionMade("a", 2, "first", [], {"a": -1.0})]


def report(epoch, reward):
    return {"epoch": epoch, "reward": reward, "seconds": 0.5, "metrics": {}}


def finished(pull, arm, *rewards, start=1):
    reports = [report(start + i, r) for i, r in enumerate(rewards)]
    return PullFinished(pull, arm, reports, {str(reports[-1]["epoch"]): "digest"}, "w")


def folded(*events):
    return fold(events, Budget(epochs=10))


def test_a_decision_reserves_its_epochs_until_it_comes_home():
    state = folded(*DECIDED)
    assert state.history.epochs_left == 8
    assert state.flights[0].worker == ""
    state = folded(*DECIDED, PullStarted(0, "a", 0, 2, "w1"))
    assert state.flights[0].worker == "w1"
    state = folded(*DECIDED, PullStarted(0, "a", 0, 2, "w1"), finished(0, "a", -3.0, -2.0))
    assert not state.flights
    assert state.history.epochs_left == 8
    assert state.arms["a"].best.epoch == 2
    assert state.arms["a"].checkpoints == {2: "digest"}


def test_a_failed_arm_gives_its_epochs_back():
    state = folded(*DECIDED, ArmFailed("a", "nan"))
    assert state.history.epochs_left == 10
    assert not state.flights
    assert state.arms["a"].note == "nan"
    assert state.ranking[-1] == "a"


def test_a_cut_arm_still_gets_its_pull_home():
    state = folded(*DECIDED, ArmCut("a", "behind"))
    assert state.history.epochs_left == 8
    state = folded(*DECIDED, ArmCut("a", "behind"), finished(0, "a", -3.0, -2.0))
    assert state.history.spent == 2
    assert state.history.arm("a").status == "cut"


def test_a_failed_pull_waits_for_another_worker():
    state = folded(*DECIDED, PullStarted(0, "a", 0, 2, "w1"), PullFailed(0, "a", "killed"))
    assert state.flights[0].worker == ""
    assert state.failures == {0: 1}
    assert state.history.epochs_left == 8


def test_of_equal_epochs_the_earliest_is_best():
    state = folded(*DECIDED, finished(0, "a", -2.0, -2.0))
    assert state.arms["a"].best.epoch == 1


def test_resuming_reopens_a_finished_search_with_its_changes():
    done = [*DECIDED, finished(0, "a", -3.0), ArmAppraised("a", 1, {"bpd": 3.1})]
    state = folded(*done, SearchFinished("spent", "a"))
    assert state.finished.best_arm == "a"
    assert state.arms["a"].test == {"bpd": 3.1}
    state = folded(*done, SearchFinished("spent", "a"), SearchResumed("0", {"epochs": 20}))
    assert state.finished is None
    assert state.config["epochs"] == 20


def test_the_time_between_two_processes_is_not_counted():
    events = [*OPENING, SearchResumed("0", time=9000.0), ArmCut("a", "", time=9002.0)]
    assert elapsed_seconds(events) == 3.0


def test_only_digests_that_lead_somewhere_are_kept():
    """The last epoch's, to go on from, and the best one's, to be handed out."""
    pulls = [event for n in range(5) for event in (
        DecisionMade("a", 1, "next", []), finished(n, "a", -abs(n - 2.0), start=n + 1)
    )]  # fmt: skip
    state = folded(*OPENING, *pulls)
    assert state.arms["a"].best.epoch == 3
    assert sorted(state.arms["a"].checkpoints) == [3, 5]


def test_memory_does_not_grow_with_pulls():
    """Twenty pulls of one epoch leave behind what one pull of twenty epochs does."""
    rewards = [-5.0 + n / 10 for n in range(20)]
    many = [event for n, reward in enumerate(rewards) for event in (
        DecisionMade("a", 1, "next", [], {"a": -1.0}),
        PullStarted(n, "a", n, 1, "w"),
        PullFailed(n, "a", "killed"),
        finished(n, "a", reward, start=n + 1),
    )]  # fmt: skip
    one = [DecisionMade("a", 20, "next", [], {"a": -1.0}), finished(0, "a", *rewards)]
    states = [folded(*OPENING, *events) for events in (many, one)]
    assert states[0].arms == states[1].arms
    assert len({len(pickle.dumps(as_if_one_decision(s))) for s in states}) == 1


def as_if_one_decision(state):
    return replace(state, history=replace(state.history, decisions=1))
