"""What a sampler is told, and what it proposes."""

import math

import pytest
from landscape import SMALL, SPACE, config_of

from vaesearch.bandits.core import Budget
from vaesearch.errors import InputError
from vaesearch.events import (
    ArmAdded,
    ArmCut,
    ArmFailed,
    DecisionMade,
    PullFinished,
    TrialKnown,
    TrialRefused,
)
from vaesearch.search.state import fold
from vaesearch.search.tuning.points import options
from vaesearch.search.tuning.proposals import Proposer
from vaesearch.search.tuning.told import Told, for_group, told
from vaesearch.space import Choice, Float, Int, Parameter, Space

POINT = {"learning_rate": 1e-3, "latent_dim": 4, "batch_size": 32}


def arm(number, group="mlp", values=POINT):
    settings = vars(config_of().settings("mlp", "mlp"))
    return ArmAdded(f"a{number}", settings, 10, trial=number, values=values, group=group)


def state_of(*events):
    return fold(events, Budget(epochs=100, cap=3, trials=50))


def test_every_fate_of_a_trial_is_told():
    state = state_of(
        TrialKnown(0, POINT, "mlp", {"bpd": 3.0}, "old"),
        arm(1), DecisionMade("a1", 3, "", []),
        PullFinished(0, "a1", [{"epoch": n, "reward": -5.0 + n, "seconds": 1.0,
                                "metrics": {"bpd": 5.0 - n}} for n in (1, 2, 3)], {}, "w"),
        arm(2), DecisionMade("a2", 1, "", []),
        PullFinished(1, "a2", [{"epoch": 1, "reward": -4.5, "seconds": 1.0,
                                "metrics": {"bpd": 4.5}}], {}, "w"),
        ArmCut("a2", "behind"),
        arm(3), DecisionMade("a3", 1, "", []), ArmFailed("a3", "loss is NaN"),
        arm(4), DecisionMade("a4", 1, "", []),
        TrialRefused(5, POINT, "mlp", "too large", {"parameters": 0.5}),
        TrialRefused(6, POINT, "mlp", "does not fit"),
    )  # fmt: skip
    trials = told(state, ["bpd"])
    assert [t.number for t in trials] == list(range(7))
    assert [t.standing for t in trials] == [
        "complete", "complete", "pruned", "failed", "running", "refused", "refused",
    ]  # fmt: skip
    assert [t.figures for t in trials[:3]] == [(-3.0,), (-2.0,), (-4.5,)]
    assert trials[5].excess == {"parameters": 0.5}
    assert trials[6].excess


def trial(number, group, value, rate):
    return Told(number, group, {"learning_rate": rate}, "complete", (value,), 30)


def test_a_group_learns_from_all_until_it_has_enough_of_its_own():
    trials = [trial(n, "good", -1.0 - n, 0.1) for n in range(3)]
    trials += [trial(3 + n, "bad", -11.0 - n, 0.1) for n in range(3)]
    pooled = for_group(trials, "good", 4)
    assert [t.figures for t in pooled] == [(1.0,), (0.0,), (-1.0,)] * 2
    assert for_group(trials, "good", 3) == trials[:3]


RATE = Space((Parameter("learning_rate", Float(1e-4, 1.0, log=True)),))


def proposals(best, group, own=0):
    """What is proposed for a group after 40 trials of another, whose best rate is ``best``."""
    events, number = [], 0
    rates = [10 ** (-4 + 4 * n / 39) for n in range(40)]
    for name, centre, offset, count in (("one", best, -4.0, 40), ("two", 1e-1, -9.0, own)):
        for rate in rates[:: max(1, 40 // max(count, 1))][:count]:
            value = offset - math.log10(rate / centre) ** 2
            events.append(TrialKnown(number, {"learning_rate": rate}, name, {"bpd": -value}, ""))
            number += 1
    state = state_of(*events)
    found = [
        Proposer(RATE, "tpe", seed).propose(state, group).values["learning_rate"]
        for seed in range(9)
    ]
    return sorted(found)[4]


def test_what_makes_a_trial_good_is_learnt_from_other_groups():
    assert 3e-4 < proposals(1e-3, "two", own=2) < 3e-3


def test_a_group_whose_best_is_elsewhere_is_learnt_from_by_itself():
    assert 3e-2 < proposals(1e-3, "two", own=20) < 3e-1


@pytest.mark.parametrize(
    ("domain", "spread", "found"),
    [
        (Int(2, 64, log=True), 6, [2, 4, 8, 16, 32, 64]),
        (Int(0, 10, step=5), None, [0, 5, 10]),
        (Int(0, 10, step=5), 2, [0, 10]),
        (Float(0.0, 1.0), 3, [0.0, 0.5, 1.0]),
        (Float(0.25, 4.0, log=True), 1, [1.0]),
        (Choice(("a", "b")), 1, ["a", "b"]),
    ],
)
def test_values_of_a_domain(domain, spread, found):
    assert options(domain, spread) == found


def test_grid_lists_conditions_only_where_they_hold():
    space = Space(
        (
            Parameter("posterior", Choice(("gaussian", "planar"))),
            Parameter("posterior.planar.steps", Choice((2, 4)), when={"posterior": ("planar",)}),
        )
    )
    fixed = Proposer(space, "grid", 0).recipe.fixed
    assert len(fixed) == 3
    assert {"posterior": "gaussian"} in fixed


@pytest.mark.parametrize(
    ("sampler", "space", "said"),
    [
        ("grid", SPACE, "learning_rate can be any number in a range"),
        ("grid:200", SPACE, "more than 20,000 points"),
        ("cmaes", SMALL, "needs two ranges of numbers"),
        ("cmaes:popsize=2", SPACE, "popsize of cmaes must be a whole number, at least 4"),
        ("tpe:n_startup_trials=0", SPACE, "at least 1"),
        ("tpe:told=all", SPACE, "told of tpe must be rank, current, projected"),
        ("tpe:seed=3", SPACE, "tpe takes"),
        ("anneal", SPACE, "unknown sampler"),
    ],
)
def test_what_a_sampler_cannot_do_is_refused(sampler, space, said):
    with pytest.raises(InputError, match=said):
        _ = Proposer(space, sampler, 0).recipe


def test_what_a_sampler_draws_at_random_is_said():
    assert "batch_size at random" in Proposer(SPACE, "cmaes", 0).recipe.note
    assert Proposer(SPACE, "tpe", 0).recipe.note == ""


def test_proposals_keep_away_from_what_was_refused():
    """Large latents are refused: TPE then proposes them far less often than at random."""
    refused = [
        TrialRefused(n, {"learning_rate": 1e-3 * (n + 1), "latent_dim": 30 + n, "batch_size": 32},
                     "mlp", "too large", {"parameters": 1.0 + n / 10})
        for n in range(30)
    ]  # fmt: skip
    known = [
        TrialKnown(30 + n, {"learning_rate": 1e-3, "latent_dim": 2 + n, "batch_size": 32}, "mlp",
                   {"bpd": 4.0 + n / 10}, "")
        for n in range(10)
    ]  # fmt: skip
    state = state_of(*refused, *known)
    sizes = [
        Proposer(SPACE, "tpe", seed).propose(state, "mlp").values["latent_dim"]
        for seed in range(20)
    ]
    assert sum(size >= 30 for size in sizes) <= 2


def test_optuna_says_nothing_and_is_left_as_it_was(capfd):
    import optuna

    before = optuna.logging.get_verbosity()
    Proposer(SPACE, "tpe", 0).propose(state_of())
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")
