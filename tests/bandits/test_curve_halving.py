"""Halving by the projected mean keeps what halving by the best reward drops."""

import numpy as np
import pytest

from vaesearch.bandits.core import ArmHistory, Budget, History, leader
from vaesearch.bandits.curve_halving import CurveHalvingPolicy
from vaesearch.bandits.halving import SuccessiveHalvingPolicy
from vaesearch.bandits.projection import project
from vaesearch.bandits.synthetic import CurveSet, run_policy
from vaesearch.errors import InputError


def curve(final, gain, pace, epochs):
    return final - gain * np.exp(-np.arange(epochs) / pace)


def slow_starter(seed):
    """Four arms of 60 epochs, the first of which is best in the end and last at epoch 6."""
    truth = np.stack([curve(-3.0, 1.0, 12.0, 60), curve(-3.15, 1.0, 3.0, 60),
                      curve(-3.2, 1.0, 2.0, 60), curve(-3.25, 1.0, 2.0, 60)])  # fmt: skip
    return CurveSet(truth, truth + np.random.default_rng(seed).normal(0, 0.003, truth.shape))


def test_a_riser_stays_that_successive_halving_drops():
    """Four arms, 80 epochs: the first round ends at epoch 10, where the riser is last."""
    wins = {
        policy: sum(
            leader(run_policy(policy, slow_starter(seed), 80, seed).arms).name == "arm-00"
            for seed in range(5)
        )
        for policy in (CurveHalvingPolicy(), SuccessiveHalvingPolicy())
    }
    assert wins == {CurveHalvingPolicy(): 5, SuccessiveHalvingPolicy(): 0}


def end_of_a_round():
    rewards = slow_starter(0).rewards[:, :10]
    arms = tuple(ArmHistory(f"arm-{i}", tuple(r.tolist())) for i, r in enumerate(rewards))
    return History(Budget(epochs=80, cap=60), arms)


def test_ranks_by_the_projected_mean():
    state = end_of_a_round()
    projection = project(state)
    values = projection.in_rewards(projection.expected())
    order = sorted(values, key=values.get, reverse=True)
    decision = CurveHalvingPolicy().choose(state, np.random.default_rng(0))
    assert set(decision.cut) == set(order[2:])
    assert "arm-0" not in decision.cut
    assert decision.cut[order[2]] == (
        f"place 3 of 4 at epoch 10: projected {values[order[2]]:.4g}, "
        f"the last kept has {values[order[1]]:.4g}"
    )


def test_an_arm_without_a_reward_comes_last():
    state = History(
        Budget(seconds=100.0),
        (ArmHistory("a", (0.0, 1.0)), ArmHistory("b", limit=0), ArmHistory("c", (5.0, 6.0))),
    )
    scores = CurveHalvingPolicy()._scores(state, 2)
    assert min(scores, key=scores.get) == "b"
    assert np.isneginf(scores["b"])


@pytest.mark.parametrize("constants", [{"eta": 1}, {"chunk": 0}])
def test_constants_out_of_range(constants):
    with pytest.raises(InputError, match=next(iter(constants))):
        CurveHalvingPolicy(**constants)
