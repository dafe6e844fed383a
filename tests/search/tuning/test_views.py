"""A bandit under several objectives keeps the whole front, not only the best in one of them."""

from dataclasses import asdict, replace

import pytest

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.events import ArmAdded, ArmFailed, DecisionMade, PullFinished, PullStarted
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.replays import MemoryLog
from vaesearch.search.state import SearchState, advance, fold
from vaesearch.search.tuning.views import losses_by_epoch, make_view

BOTH = ("bpd", "consistency")
EPOCHS = 27
# Nine arms on the front, from the best bits/dim to the best consistency, and each of them twice
# more, worse in both.
ENDS = {
    f"{group}{place}": (2 + place / 8 + worse, 10 - place + worse)
    for group, worse in (("front", 0.0), ("behind", 0.2), ("last", 3.0))
    for place in range(9)
}


def reports(bpd, consistency):
    """Both figures improve with every epoch, the same for all arms but for where they end."""
    return [
        EpochReport(
            n, -(bpd + 3 / n), 1.0, {"bpd": bpd + 3 / n, "consistency": consistency + 9 / n}
        )
        for n in range(1, EPOCHS + 1)
    ]


def search(objectives, arms=ENDS):
    """Epochs of each arm after ASHA's search."""
    backend = ReplayBackend({name: reports(*end) for name, end in arms.items()})
    state = fold([], Budget(epochs=150, cap=EPOCHS))
    policy = catalogue.build("policies", "asha:rung=1")
    controller = Controller(
        MemoryLog(backend), state, policy, backend, seed=0, view=make_view(objectives)
    )
    for name in arms:
        controller.record(ArmAdded(name, asdict(TrialSettings(decoder="mlp")), 1))
    controller.run()
    return {arm.name: arm.epochs for arm in controller.state.history.arms}


def test_both_ends_and_the_middle_of_the_front_are_trained_on():
    epochs = search(BOTH)
    longest = sorted(epochs, key=lambda name: -epochs[name])[:3]
    assert {"front0", "front8"} < set(longest)
    assert set(longest) & {"front3", "front4", "front5"}
    assert all(epochs[name] <= 3 for name in epochs if name.startswith("last"))


def test_a_single_objective_keeps_only_its_own_end():
    epochs = search(("bpd",))
    longest = sorted(epochs, key=lambda name: -epochs[name])[:3]
    assert set(longest) <= {"front0", "front1", "front2", "behind0"}
    assert epochs["front8"] == 1


def joined(names):
    return [ArmAdded(name, asdict(TrialSettings(decoder="mlp")), 1) for name in names]


def pulled(number, name, found):
    return [
        DecisionMade(name, len(found), "", []),
        PullStarted(number, name, 0, len(found), "w"),
        PullFinished(number, name, [asdict(r) for r in found], {}, "w"),
    ]


@pytest.fixture
def state():
    events = [
        *joined("abcd"),
        *pulled(0, "a", reports(2.0, 9.0)[:4]),
        *pulled(1, "b", reports(3.0, 1.0)[:2]),
        *pulled(2, "c", reports(3.5, 9.5)[:2]),
        *pulled(3, "d", reports(0.1, 0.1)[:2]),
        ArmFailed("d", "diverged"),
    ]
    return fold(events, Budget(epochs=30))


def test_the_view_orders_arms_at_equal_epochs(state):
    shown = make_view(BOTH)(state.history, state)
    a, b, c = (shown.arm(name).rewards for name in "abc")
    for epoch in range(2):
        assert epoch < c[epoch] < min(a[epoch], b[epoch])
        assert max(a[epoch], b[epoch]) == epoch + 1
    assert a[2:] == (3.0, 4.0)  # nobody else got that far
    assert list(a) == sorted(a)  # so that a best up to an epoch is the one at that epoch


def test_the_view_changes_nothing_but_rewards(state):
    shown = make_view(BOTH)(state.history, state)
    back = tuple(
        replace(arm, rewards=before.rewards)
        for arm, before in zip(shown.arms, state.history.arms, strict=True)
    )
    assert replace(shown, arms=back) == state.history
    assert shown.spent == state.history.spent
    assert shown.arm("d") == state.history.arm("d")


def test_one_objective_is_seen_as_it_is(state):
    assert make_view(("bpd",))(state.history, state) is state.history


def test_an_arm_counts_by_the_checkpoint_that_it_would_hand_out():
    found = [
        EpochReport(1, -3.0, 1.0, {"bpd": 3.0, "consistency": 5.0}),
        EpochReport(2, -4.0, 1.0, {"bpd": 4.0, "consistency": 1.0}),  # worse: not handed out
        EpochReport(3, -2.0, 1.0, {"bpd": 2.0}),  # handed out, but not measured
    ]
    state = SearchState()
    for event in [*joined("a"), *pulled(0, "a", found)]:
        state = advance(state, event)
    curve = losses_by_epoch(state.arms["a"], BOTH)
    assert curve == [(3.0, 5.0), (3.0, 5.0), (float("inf"), float("inf"))]
