"""Arms that join while a search runs: what every policy keeps to, and what ours do with them."""

import numpy as np
import pytest

from vaesearch import catalogue
from vaesearch.bandits.asha import ASHAPolicy
from vaesearch.bandits.auto import AutoPolicy
from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.groups import FIRST, next_group, probed, promises
from vaesearch.bandits.opening import LiveSet, Opener
from vaesearch.events import ArmAdded
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.backends.replay import ReplayBackend
from vaesearch.search.controller import Controller
from vaesearch.search.replays import MemoryLog
from vaesearch.search.state import fold

NAMES = [entry.name for entry in catalogue.POLICIES]
CAP = 8
SETTINGS = vars(TrialSettings(decoder="mlp"))


def curves(count, groups=("",), seconds=1.0, cap=CAP):
    """Rising curves; the fifth of each group ends highest."""
    rng = np.random.default_rng(1)
    made = {}
    for group in groups:
        for number in range(count):
            end = -4.0 + 0.5 * (number == 4) - rng.uniform(0, 0.3)
            rewards = end - np.exp(-np.arange(cap) / rng.uniform(1, 4))
            made[f"{group}-{number:03d}"] = [
                EpochReport(epoch, float(reward), seconds, {})
                for epoch, reward in enumerate(rewards, start=1)
            ]
    return made


class Source:
    """Hands out the next arm of the group that the opener asks for."""

    def __init__(self, policy, trials, groups=("",), live=3):
        self.opener = policy if isinstance(policy, Opener) else LiveSet(live)
        self.trials, self.groups = trials, groups

    def next_arms(self, state):
        if len(state.arms) >= self.trials:
            return []
        rng = np.random.default_rng(len(state.arms))
        opening = self.opener.opening(state.history, list(self.groups), rng)
        if opening is None:
            return []
        number = sum(arm.group == opening.group for arm in state.history.arms)
        return [ArmAdded(f"{opening.group}-{number:03d}", SETTINGS, 1, group=opening.group)]


def search(policy, budget, *, groups=("",), made=None, seed=0):
    made = made or curves(200, groups)
    backend = ReplayBackend(made, budget.workers)
    controller = Controller(
        MemoryLog(backend), fold([], budget), policy, backend, seed=seed,
        source=Source(policy, budget.trials, groups),
    )  # fmt: skip
    controller.run()
    return controller.state.history, backend.now()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("workers", [1, 3])
def test_every_policy_spends_the_budget_and_keeps_to_trials_and_cap(name, workers):
    policy = catalogue.build("policies", name)
    history, _ = search(policy, Budget(epochs=70, cap=CAP, trials=150, workers=workers))
    assert history.spent == 70
    assert max(arm.epochs for arm in history.arms) <= CAP
    assert len(history.arms) > 3  # others than those that were open first


@pytest.mark.parametrize("name", [name for name in NAMES if name != "pruner"])
def test_every_policy_ends_where_trials_and_caps_do(name):
    history, _ = search(catalogue.build("policies", name), Budget(epochs=500, cap=CAP, trials=6))
    assert len(history.arms) == 6
    going = [arm for arm in history.arms if arm.status == "open"]
    assert all(arm.epochs == CAP for arm in going)


@pytest.mark.parametrize("name", ["auto", "asha", "pruner"])
def test_workers_are_busy_as_long_as_a_budget_in_seconds_lasts(name):
    policy = catalogue.build("policies", name)
    history, _ = search(policy, Budget(seconds=20.0, cap=CAP, trials=150, workers=4))
    assert history.spent == 80


@pytest.mark.parametrize("trials", [1, 2, 7])
@pytest.mark.parametrize("epochs", [1, 3, 9, 40])
def test_auto_is_never_stuck(trials, epochs):
    history, _ = search(AutoPolicy(), Budget(epochs=epochs, cap=CAP, trials=trials))
    assert history.spent == min(epochs, CAP * trials)


def test_auto_finds_the_best_and_takes_it_to_its_cap():
    made = curves(60)
    history, _ = search(AutoPolicy(), Budget(epochs=90, cap=CAP, trials=60), made=made)
    best = max(history.arms, key=lambda arm: arm.value)
    assert best.name == "-004"
    assert best.epochs == CAP
    assert len(history.arms) > 20


def test_auto_opens_no_arm_that_cannot_catch_up():
    """What is left goes to the best one, which needs it."""
    arms = [ArmHistory(f"a{i}", (-5.0 - i, -4.5 - i), (1.0, 1.0)) for i in range(9)]
    history = History(Budget(epochs=24, cap=CAP, trials=99), tuple(arms))
    rng = np.random.default_rng(0)
    assert history.epochs_left == CAP - 2
    assert AutoPolicy().opening(history, [""], rng) is None
    decision = AutoPolicy().choose(history, rng)
    assert decision.arm == "a0"
    assert "to finish the best" in decision.reason
    assert not decision.cut
    more = [ArmHistory(f"z{i}", (-20.0 - i,), (1.0,)) for i in range(5)]
    crowd = History(Budget(epochs=29, cap=CAP, trials=99), (*arms, *more))
    assert set(AutoPolicy().choose(crowd, rng).cut) == {"z1", "z2", "z3", "z4"}
    early = History(Budget(epochs=99, cap=CAP, trials=99), tuple(arms[:2]))
    assert AutoPolicy().opening(early, [""], rng) is not None


def test_fixed_arms_are_decided_on_as_before():
    arms = tuple(ArmHistory(f"a{i}", (-5.0 - i, -4.5 - i), (1.0, 1.0)) for i in range(4))
    rng = np.random.default_rng(0)
    decision = AutoPolicy().choose(History(Budget(epochs=40, cap=CAP), arms), rng)
    assert decision.reason.startswith("expected-improvement for 4 arms")


def test_asha_promotes_the_best_of_a_group_that_starts_slowly():
    fast = [ArmHistory(f"f{i}", (-4.0 - i / 10,), (1.0,), group="fast") for i in range(3)]
    slow = [ArmHistory(f"s{i}", (-6.0 - i / 10,), (1.0,), group="slow") for i in range(3)]
    done = ArmHistory("d0", (-4.0,) * 9, (1.0,) * 9, group="fast")
    gone = ArmHistory("e0", (-6.5,) * 9, (1.0,) * 9, group="slow")
    history = History(Budget(epochs=99, cap=27, trials=99), (*fast, *slow, done, gone))
    seen = []
    while (decision := ASHAPolicy().choose(history, np.random.default_rng(0))).arm:
        if history.arm(decision.arm).epochs == 1:
            seen.append(decision.arm)
        history = history.started(decision.arm, 1).observed(decision.arm, [-5.9], [1.0])
        if len(seen) == 2:
            break
    assert "s0" in seen


def group(name, end, count, epochs, pace=3.0):
    times = np.exp(-np.arange(epochs) / pace)
    rng = np.random.default_rng(int(-100 * end))
    return [
        ArmHistory(f"{name}{i}", tuple((end - rng.uniform(0, 0.1) - 0.5 * times).tolist()),
                   (1.0,) * epochs, group=name)
        for i in range(count)
    ]  # fmt: skip


def test_each_group_has_its_first_arms_before_any_is_judged():
    arms = group("a", -3.0, 5, 9) + group("b", -9.0, FIRST - 1, 9)
    history = History(Budget(epochs=500, cap=30, trials=99), tuple(arms))
    assert next_group(history, ["a", "b"], np.random.default_rng(0)) == "b"


def test_the_best_of_the_first_arms_is_trained_until_it_tells():
    arms = group("a", -3.0, 3, 12) + group("b", -4.0, 3, 1)
    history = History(Budget(epochs=500, cap=30, trials=99), tuple(arms))
    best = max(arms[3:], key=lambda arm: arm.value)
    assert probed(history) == best
    assert ASHAPolicy().choose(history, np.random.default_rng(0)).arm == best.name
    assert probed(History(history.budget, tuple(arms[:3]))) is None  # one group: no choice
    told = History(history.budget, tuple(arms[:3] + group("b", -4.0, 3, 9)))
    assert probed(told) is None


def test_the_group_that_promises_most_is_drawn_most():
    arms = group("good", -3.0, 4, 12) + group("bad", -5.0, 4, 12) + group("close", -3.05, 4, 12)
    history = History(Budget(epochs=500, cap=30, trials=99), tuple(arms))
    names = ["good", "bad", "close"]
    good, bad, close = promises(history, names)
    assert good > close > 5 * bad
    draws = [next_group(history, names, np.random.default_rng(seed)) for seed in range(200)]
    assert draws.count("good") > draws.count("close") > draws.count("bad") > 0


def test_in_units_of_another_metric_the_groups_promise_the_same():
    arms = group("a", -3.0, 4, 12) + group("b", -3.2, 4, 12)
    scaled = [
        ArmHistory(a.name, tuple(100 * r + 7 for r in a.rewards), a.seconds, group=a.group)
        for a in arms
    ]
    budget = Budget(epochs=500, cap=30, trials=99)
    first, second = (promises(History(budget, tuple(of)), ["a", "b"]) for of in (arms, scaled))
    assert first == pytest.approx(second, rel=1e-6)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_search_over_groups_tries_all_and_spends_the_budget(workers):
    groups = ["a", "b", "c"]
    budget = Budget(epochs=90, cap=CAP, trials=150, workers=workers)
    history, _ = search(AutoPolicy(), budget, groups=groups)
    assert history.spent == 90
    assert {arm.group for arm in history.arms} == set(groups)
