"""Batches dealt out by a policy, on rewards that no network made."""

import numpy as np
import pytest

from vaesearch import catalogue
from vaesearch.bandits.core import Decision
from vaesearch.baselines.draws import Draws
from vaesearch.errors import PolicyError

NAMES = ["a", "b", "c", "d", "e"]


def deal(policy, batches, reward, seed=0, chunk=1):
    """Draw counts after ``batches``, with ``reward(name, nth draw of it)``."""
    policy = catalogue.build("policies", policy) if isinstance(policy, str) else policy
    draws = Draws(policy, NAMES, batches, np.random.default_rng(seed), chunk)
    order = []
    while (name := draws.next()) is not None:
        order.append(name)
        draws.observe(reward(name, order.count(name)))
    return order


def shares(order):
    return np.array([order.count(name) / len(order) for name in NAMES])


@pytest.mark.parametrize(("passes", "leader", "others"), [(3, 0.573, 0.107), (5, 0.648, 0.088)])
def test_shares_follow_the_law_of_the_report(passes, leader, others):
    """(1/E)/K + (1 - 1/E)(1 - ε + ε/K) for a leader that never changes: what it published."""
    pass_, runs = 400, []
    for seed in range(4):
        policy = f"epsilon-greedy:uniform={pass_}"
        order = deal(policy, passes * pass_, lambda n, _: 1.0 if n == "b" else 0.0, seed)
        assert shares(order[:pass_]).max() < 0.3
        runs.append(shares(order))
    mean = np.mean(runs, axis=0)
    # Four times the standard error of a share near one half over so many draws.
    tolerance = 4 * 0.5 / np.sqrt(4 * passes * pass_)
    assert mean[1] == pytest.approx(leader, abs=tolerance)
    assert np.delete(mean, 1) == pytest.approx(np.full(4, others), abs=tolerance)


def test_an_arm_never_drawn_has_no_mean_and_is_drawn_first():
    """The report divided 0 by 0 there, and went on with the arm whose mean was no number."""
    order = deal("epsilon-greedy:uniform=2,epsilon=0", 40, lambda n, _: -ord(n))
    assert set(order[:6]) == set(NAMES)
    assert set(order[7:]) == {"a"}


@pytest.mark.parametrize("spec", [e.name for e in catalogue.POLICIES])
def test_every_policy_can_deal(spec):
    order = deal(spec, 40, lambda n, k: -3.0 + 0.1 * ord(n) / 100 - 1 / k)
    assert 0 < len(order) <= 40


def test_the_same_seed_deals_the_same():
    def reward(name, count):
        return -ord(name) + 1 / count

    policy = "epsilon-greedy:uniform=20"
    assert deal(policy, 80, reward, 1) == deal(policy, 80, reward, 1)
    assert deal(policy, 80, reward, 1) != deal(policy, 80, reward, 2)


def test_a_chunk_is_so_many_batches_in_a_row():
    order = deal("epsilon-greedy", 40, lambda n, k: -ord(n), chunk=4)
    runs = [order[i : i + 4] for i in range(0, 40, 4)]
    assert all(len(set(run)) == 1 for run in runs)


class Wrong:
    def __init__(self, answer):
        self.answer = answer

    def choose(self, history, rng):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Decision("z", ""), "chose arm 'z', which is unknown"),
        (Decision("a", "", epochs=0), "at least 1"),
        (ValueError("no idea"), "failed at batch 0: ValueError: no idea"),
        (None, "must return a vaesearch"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_said_so(answer, said):
    with pytest.raises(PolicyError, match=said):
        deal(Wrong(answer), 5, lambda n, k: 0.0)


def test_a_policy_may_end_early_and_cut():
    assert deal(Wrong(Decision(None, "enough")), 5, lambda n, k: 0.0) == []
