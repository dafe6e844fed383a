from dataclasses import replace

import pytest
from replays import CURVES

from vaesearch.bandits.core import Budget
from vaesearch.recordings import Curve, Manifest, Recording
from vaesearch.search.comparison import oracle_outcomes, outcomes
from vaesearch.search.instances import Instance, instances_of
from vaesearch.search.outcomes import Estimate, Outcome, estimate
from vaesearch.search.regret import make_trace

# Best at epoch 3, 4 and 1; "a" costs twice as much.
VALID = {"a": (9.0, 7.0, 4.0, 5.0), "b": (8.0, 7.5, 7.0, 6.5), "c": (6.0, 6.5, 7.0, 7.5)}


def recording(seeds=(0,), valid=VALID, failed=()):
    return Recording(
        Manifest("none", "bpd", "min"),
        tuple(
            Curve(
                arm, seed, tuple(v + 0.1 * seed for v in values),
                (2.0 if arm == "a" else 1.0,) * len(values),
                tuple(v + 1.0 for v in values),
                failed="loss is nan" if arm in failed else None,
            )
            for seed in seeds for arm, values in valid.items()
        ),
    )  # fmt: skip


def long_recording():
    """The curves of the loop's tests, as a recording."""
    return recording(valid={n: tuple(-r.reward for r in c) for n, c in CURVES.items()})


def instance(**options):
    return Instance(recording(**options), 0)


def test_an_instance_knows_what_was_recorded():
    whole = instance()
    assert (whole.epochs, whole.longest, whole.seconds, whole.complete) == (12, 4, 16.0, True)
    assert (whole.best.arm, whole.best.epoch, whole.best.reward) == ("a", 3, -4.0)
    part = instance(valid=VALID | {"c": (6.0,)})
    assert (part.complete, part.failed) == (False, set())
    # An arm that failed is as long as it can be.
    over = instance(valid=VALID | {"c": (6.0,)}, failed=["c"])
    assert (over.complete, over.failed) == (True, {"c"})


def test_where_all_curves_end_is_every_policys_cap():
    assert instance().budget(Budget(epochs=9)).cap == 4
    assert instance().budget(Budget(epochs=9, cap=3)).cap == 3
    assert instance(valid=VALID | {"c": (6.0,)}).budget(Budget(epochs=9)).cap is None


def test_a_seed_that_lacks_an_arm_is_left_out():
    lacking = recording(seeds=(0, 1))
    lacking = Recording(lacking.manifest, lacking.curves[:-1])
    assert [i.seed for i in instances_of(lacking)] == [0]
    assert [i.seed for i in instances_of(recording(seeds=(1, 0)))] == [0, 1]
    assert instances_of(Recording(lacking.manifest, ())) == ()


def test_an_outcome_by_hand():
    # All arms once, then "a" to its best: found with the fifth epoch.
    trace = make_trace([("a", 1, -9.0), ("b", 1, -8.0), ("c", 1, -6.0), ("a", 2, -7.0),
                        ("a", 3, -4.0), ("a", 4, -5.0)])  # fmt: skip
    outcome = Outcome(instance(), 0, trace, {})
    assert (outcome.found.arm, outcome.found.epoch, outcome.epochs) == ("a", 3, 6)
    assert (outcome.validation, outcome.test) == (4.0, 5.0)
    assert (outcome.regret, outcome.arm_regret, outcome.within) == (0.0, 0.0, 5)
    assert outcome.saved == 3 * 3 - 5
    early = Outcome(instance(), 0, make_trace([("c", 1, -6.0), ("c", 2, -6.5)]), {})
    assert (early.regret, early.arm_regret, early.within, early.saved) == (2.0, 2.0, None, 2)


def test_a_search_that_found_nothing_has_no_figures():
    trace = make_trace([("a", 1, -9.0)], failed={"a": 0})
    outcome = Outcome(instance(), 0, trace, {})
    assert outcome.found is None
    for what in ("validation", "test", "regret", "arm_regret", "saved"):
        assert getattr(outcome, what) is None
    assert estimate([outcome], "regret") is None


def test_the_oracle_trains_one_arm_with_the_whole_budget():
    (best,) = oracle_outcomes([instance()], Budget())
    assert (best.found.arm, best.epochs, best.seconds, best.regret) == ("a", 3, 6.0, 0.0)
    (poor,) = oracle_outcomes([instance()], Budget(epochs=2))
    assert (poor.found.arm, poor.found.epoch, poor.regret) == ("c", 1, 2.0)
    (slow,) = oracle_outcomes([instance()], Budget(seconds=5.0))
    assert slow.found.arm == "c"  # "a" gets two epochs in five seconds
    (capped,) = oracle_outcomes([instance()], Budget(epochs=12, cap=2))
    assert capped.found.arm == "c"
    (none,) = oracle_outcomes([instance()], Budget(seconds=0.5))
    assert none.found is None


def test_the_quickest_arm_to_one_per_cent_need_not_be_the_best():
    valid = {"best": (9.0, 8.0, 4.0), "quick": (4.02, 4.02, 4.02)}
    (best,) = oracle_outcomes([instance(valid=valid)], Budget())
    assert (best.found.arm, best.epochs, best.within) == ("best", 3, 1)
    (poor,) = oracle_outcomes([instance()], Budget(epochs=2))
    assert poor.within is None


@pytest.mark.parametrize("policy", ["thompson", "ucb", "epsilon-greedy", "uniform"])
@pytest.mark.parametrize("epochs", [6, 40, 120])
def test_no_policy_beats_the_oracle(policy, epochs):
    instances = instances_of(long_recording())
    budget = Budget(epochs=epochs)
    (oracle,) = oracle_outcomes(instances, budget)
    for outcome in outcomes(policy, instances, budget, [0, 1]):
        assert outcome.epochs <= epochs
        assert outcome.regret >= oracle.regret >= 0
        assert outcome.within is None or outcome.within >= oracle.within


def test_only_policies_that_draw_are_repeated():
    instances = instances_of(recording(seeds=(0, 1)))
    budget = Budget(epochs=6)
    seeds = [(o.instance.seed, o.policy_seed) for o in outcomes("ucb", instances, budget, [7, 8])]
    assert seeds == [(0, None), (1, None)]
    drawn = outcomes("epsilon-greedy", instances, budget, [7, 8])
    assert [(o.instance.seed, o.policy_seed) for o in drawn] == [(0, 7), (0, 8), (1, 7), (1, 8)]
    again = outcomes("epsilon-greedy", instances, budget, [7, 8])
    assert [o.trace for o in again] == [o.trace for o in drawn]


def test_arms_that_end_too_soon_are_told_from_arms_that_were_cut():
    short = Instance(recording(valid=VALID | {"c": (6.0,)}), 0)
    (outcome,) = outcomes("uniform", [short], Budget(epochs=9), [0])
    assert outcome.cut_short == {"c": 1}
    (outcome,) = outcomes("uniform", [instance()], Budget(epochs=12), [0])
    assert outcome.cut_short == {}


def test_two_workers_share_the_clock():
    (one,) = outcomes("uniform", [instance()], Budget(epochs=12), [0])
    (two,) = outcomes("uniform", [instance()], Budget(epochs=12, workers=2), [0])
    assert one.seconds == 16.0
    assert two.seconds == 8.0
    assert two.epochs == 12


def test_what_pulls_take_beyond_their_epochs_is_on_the_clock():
    (slow,) = outcomes("uniform", [instance()], Budget(epochs=12), [0], overhead={"b": 0.5})
    assert slow.seconds == 16.0 + 4 * 0.5
    (fewer,) = outcomes("uniform", [instance()], Budget(epochs=12), [0], chunk=2,
                        overhead={"b": 0.5})  # fmt: skip
    assert fewer.seconds == 16.0 + 2 * 0.5


def test_an_error_is_over_policy_seeds_or_else_over_instances():
    first, second = instance(), Instance(recording(seeds=(1,)), 1)

    def spent(where, epochs):
        return Outcome(where, 0, make_trace([("c", 1, -6.0)] * epochs), {})

    one = [spent(first, 1), spent(first, 3)]
    assert estimate(one, "epochs") == Estimate(2.0, 1.0, 2, 2)
    # Means of 2 and 6; the four outcomes are not four pieces of evidence.
    two = [*one, spent(second, 5), spent(second, 7)]
    assert estimate(two, "epochs") == Estimate(4.0, 2.0, 4, 4)
    assert estimate(one[:1], "epochs") == Estimate(1.0, None, 1, 1)
    arrived = replace(one[0], trace=make_trace([("a", 3, -4.0)]))
    assert estimate([*one, arrived], "within") == Estimate(1.0, None, 1, 3)
