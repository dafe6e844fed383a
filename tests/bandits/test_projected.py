"""The projected policies: the arithmetic of one decision."""

import numpy as np
import pytest

from vaesearch.bandits.core import ArmHistory, Budget, History
from vaesearch.bandits.projected import ExpectedImprovementPolicy, ThompsonPolicy, UCBPolicy
from vaesearch.bandits.projection import project
from vaesearch.errors import InputError

POLICIES = [ThompsonPolicy(), UCBPolicy(), ExpectedImprovementPolicy()]


def rng():
    return np.random.default_rng(0)


def curve(final, gain, pace, epochs):
    return tuple((final - gain * np.exp(-np.arange(epochs) / pace)).tolist())


STATE = History(
    Budget(epochs=60),
    (
        ArmHistory("flat", curve(-3.2, 1.0, 2.0, 12)),
        ArmHistory("rising", curve(-2.9, 1.0, 8.0, 10)),
        ArmHistory("poor", curve(-4.0, 0.5, 2.0, 8)),
    ),
)


@pytest.mark.parametrize("policy", POLICIES)
def test_values_are_the_expected_final_values(policy):
    projection = project(STATE)
    decision = policy.choose(STATE, rng())
    assert decision.values == projection.in_rewards(projection.expected())


@pytest.mark.parametrize("policy", POLICIES)
def test_first_looks_come_first(policy):
    arms = (ArmHistory("a", (1.0,) * 3), ArmHistory("b", (9.0,)), ArmHistory("c", (0.0, 1.0)))
    decision = policy.choose(History(Budget(epochs=9), arms), rng())
    assert (decision.arm, decision.reason) == ("b", "first look: epoch 2 of 2")
    later = policy.choose(History(Budget(epochs=9), (arms[0], arms[2])), rng())
    assert "first look" not in later.reason


@pytest.mark.parametrize("policy", [type(p)(chunk=4) for p in POLICIES])
def test_pulls_are_of_a_chunk(policy):
    assert policy.choose(STATE, rng()).epochs == 4


@pytest.mark.parametrize("level", [0.2, 0.5, 0.7, 0.95])
def test_ucb_pulls_the_highest_quantile(level):
    projection = project(STATE)
    bounds = projection.in_rewards(projection.quantile(level))
    decision = UCBPolicy(level).choose(STATE, rng())
    assert decision.arm == max(bounds, key=bounds.get)
    arm = STATE.arm(decision.arm)
    value = decision.values[arm.name]
    spread = projection.in_rewards(projection.spread())[arm.name] - projection.posterior.rewards(0)
    assert decision.reason == (
        f"projected {value:.4g}±{spread:.2g} at epoch {arm.epochs + 30} (now {arm.value:.4g}), "
        f"best {level:.0%} quantile of 3: {bounds[arm.name]:.4g}"
    )


def test_a_higher_level_explores_more():
    """A known arm that ends at -3.1, and one after two epochs that may end anywhere."""
    arms = (ArmHistory("known", curve(-3.1, 1.0, 4.0, 40)), ArmHistory("new", (-4.1, -4.05)))
    state = History(Budget(epochs=80), arms)
    chosen = [UCBPolicy(level).choose(state, rng()).arm for level in (0.1, 0.5, 0.999)]
    assert (chosen[0], chosen[-1]) == ("known", "new")
    bounds = [project(state).quantile(level) for level in (0.1, 0.5, 0.999)]
    assert (np.diff(bounds, axis=0) >= 0).all()


@pytest.mark.parametrize("policy", [UCBPolicy(0.5), ExpectedImprovementPolicy()])
def test_an_arm_that_cannot_catch_up_any_more_is_left(policy):
    """The slower but better arm is worth its epochs only while there are enough of them."""
    late = ArmHistory("late", curve(-2.9, 1.0, 8.0, 9))
    assert late.value < STATE.arms[0].value - 0.05
    arms = {
        left: policy.choose(History(Budget(epochs=21 + left), (STATE.arms[0], late)), rng()).arm
        for left in (1, 39)
    }
    assert arms == {1: "flat", 39: "late"}


def test_thompson_pulls_in_proportion_to_belief():
    """Shares of pulls are shares of draws, independent ones."""
    generator, projection = np.random.default_rng(1), project(STATE)
    draws = np.array([projection.draw(generator) for _ in range(2000)]).argmax(axis=1)
    generator = np.random.default_rng(0)
    pulls = [ThompsonPolicy().choose(STATE, generator).arm for _ in range(600)]
    for place, name in enumerate(projection.names):
        share = np.mean(draws == place)
        error = 4 * np.sqrt(max(share * (1 - share), 1e-3) * (1 / 600 + 1 / 2000))
        assert pulls.count(name) / 600 == pytest.approx(share, abs=error)
    assert pulls.count("poor") < 30


def test_thompson_gives_twins_equal_shares():
    twins = (ArmHistory("a", curve(-3, 1, 4.0, 6)), ArmHistory("b", curve(-3, 1, 4.0, 6)))
    state, generator = History(Budget(epochs=60), twins), rng()
    arms = [ThompsonPolicy().choose(state, generator).arm for _ in range(400)]
    assert arms.count("a") / 400 == pytest.approx(0.5, abs=0.1)


def gains(state):
    projection = project(state)
    best = max(arm.value for arm in state.arms)
    floor = (best - projection.posterior.prior.level) / projection.posterior.prior.scale
    excess = projection.posterior.prior.scale * projection.excess(floor)
    return dict(zip(projection.names, excess.tolist(), strict=True))


def test_expected_improvement_trains_the_leader_while_it_rises():
    state = History(
        Budget(epochs=60),
        (ArmHistory("up", curve(-2.9, 1.0, 6.0, 8)), ArmHistory("new", (-4.2, -4.0, -3.9))),
    )
    decision = ExpectedImprovementPolicy().choose(state, rng())
    assert gains(state)["up"] > 0.1
    assert decision.arm == "up"
    assert "best expectation of 2" in decision.reason


# A leader that has flattened, and an arm that is behind but may pass it.
FLATTENED = History(
    Budget(epochs=65),
    (ArmHistory("leader", curve(-3.0, 1.0, 2.0, 25)), ArmHistory("new", curve(-3.2, 1, 2.0, 5))),
)


def test_expected_improvement_tries_a_challenger_once_the_leader_has_flattened():
    decision = ExpectedImprovementPolicy().choose(FLATTENED, rng())
    values, promise = decision.values, gains(FLATTENED)
    assert values["leader"] > values["new"]
    assert decision.arm == "new"
    assert decision.reason == (
        f"may improve on the best so far by {promise['new']:.2g} on average up to epoch "
        f"{5 + 35}, leader by {promise['leader']:.2g}"
    )


def test_persistence_is_how_much_more_a_challenger_must_promise():
    promise = gains(FLATTENED)
    ratio = promise["new"] / promise["leader"]
    assert ratio > 2
    chosen = {
        factor: ExpectedImprovementPolicy(persistence=factor * ratio).choose(FLATTENED, rng()).arm
        for factor in (0.99, 1.01, np.inf)
    }
    assert chosen == {0.99: "new", 1.01: "leader", np.inf: "leader"}


def test_infinite_persistence_where_nobody_can_improve():
    """Every expected improvement is exactly 0: no warning of infinity times zero."""
    arms = (
        ArmHistory("done", curve(0.0, 1.0, 0.5, 20)),
        ArmHistory("a", curve(-9e4, 0.1, 0.5, 15)),
        ArmHistory("b", curve(-8e4, 0.1, 0.5, 15)),
    )
    state = History(Budget(epochs=99, cap=20), arms)
    promise = gains(state)
    assert promise["a"] == promise["b"] == 0
    for persistence in (3.0, np.inf):
        assert ExpectedImprovementPolicy(persistence).choose(state, rng()).arm == "b"


def in_flight(budget):
    """A far leader that still rises under way, and a hopeless arm that could be pulled."""
    history = History(budget).added("best").added("hopeless")
    for name, level in (("best", -1.0), ("hopeless", -100.0)):
        rewards = [level - 0.9**n for n in range(8)]
        history = history.started(name, 8).observed(name, rewards, [1.0] * 8)
    return history.started("best", 1)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_worker_waits_rather_than_spend_an_epoch_on_a_hopeless_arm(policy):
    decision = policy.choose(in_flight(Budget(epochs=40, workers=2)), rng())
    assert decision.arm is None
    assert "waiting for best in flight, projected" in decision.reason
    assert decision.values.keys() == {"best", "hopeless"}


@pytest.mark.parametrize("policy", POLICIES)
def test_with_a_budget_in_seconds_no_worker_waits(policy):
    decision = policy.choose(in_flight(Budget(seconds=30.0, workers=2)), rng())
    assert decision.arm == "hopeless"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_rival_of_the_arm_in_flight_is_pulled(policy):
    state = in_flight(Budget(epochs=40, workers=2)).added("rival")
    state = state.started("rival", 8).observed(
        "rival", [-1.0 - 0.9**n for n in range(8)], [1.0] * 8
    )
    pulled = {policy.choose(state, np.random.default_rng(seed)).arm for seed in range(20)}
    assert "rival" in pulled
    assert "hopeless" not in pulled


def test_waiting_is_the_share_of_what_an_arm_in_flight_promises():
    state = in_flight(Budget(epochs=40, workers=2)).added("rival")
    state = state.started("rival", 8).observed(
        "rival", [-1.5 - 0.9**n for n in range(8)], [1.0] * 8
    )
    promise = gains(state)
    ratio = promise["rival"] / promise["best"]
    assert 0 < ratio < 0.9
    chosen = {
        share: ExpectedImprovementPolicy(waiting=share * ratio).choose(state, rng()).arm
        for share in (0.0, 0.99, 1.01)
    }
    assert chosen == {0.0: "rival", 0.99: "rival", 1.01: None}


def test_with_no_draws_left_thompson_waits_for_the_best_in_flight():
    state = in_flight(Budget(epochs=40, workers=3))
    state = state.added("second").started("second", 8)
    state = state.observed("second", [-60.0 - 0.9**n for n in range(8)], [1.0] * 8)
    decision = ThompsonPolicy(draws=1).choose(state.started("second", 1), rng())
    assert (decision.arm, "waiting for best" in decision.reason) == (None, True)


@pytest.mark.parametrize("policy", POLICIES)
def test_an_arm_in_flight_without_rewards_is_no_reason_to_wait(policy):
    state = in_flight(Budget(epochs=40, workers=3)).observed("best", [-1.4], [1.0])
    decision = policy.choose(state.added("new").started("new", 1), rng())
    assert decision.arm == "best"


@pytest.mark.parametrize("policy", POLICIES)
def test_the_order_of_arms_is_of_no_consequence(policy):
    turned = History(STATE.budget, STATE.arms[::-1])
    for seed in range(5):
        ours, theirs = (
            policy.choose(s, np.random.default_rng(seed)) for s in (STATE, turned)
        )  # fmt: skip
        assert (ours.arm, ours.reason, ours.values) == (theirs.arm, theirs.reason, theirs.values)


@pytest.mark.parametrize(
    ("policy", "constants"),
    [
        (ThompsonPolicy, {"minimum": 0}),
        (ThompsonPolicy, {"draws": 0}),
        (ThompsonPolicy, {"chunk": 1.5}),
        (UCBPolicy, {"level": 1.1}),
        (UCBPolicy, {"level": float("nan")}),
        (UCBPolicy, {"minimum": "2"}),
        (ExpectedImprovementPolicy, {"persistence": 0.9}),
        (ExpectedImprovementPolicy, {"persistence": float("nan")}),
        (ExpectedImprovementPolicy, {"waiting": -0.1}),
        (ExpectedImprovementPolicy, {"chunk": 0}),
    ],
)
def test_constants_out_of_range(policy, constants):
    with pytest.raises(InputError, match=next(iter(constants))):
        policy(**constants)
