"""A search that is tuned goes on from any line of its ledger as if nothing had happened."""

import json
import random
import subprocess
import sys

import pytest
from landscape import SMALL, SPACE, Landscape, Log, admit, config_of, go_on, source_of, told_of

from vaesearch.bandits.core import Budget, Decision
from vaesearch.bandits.opening import Opening
from vaesearch.errors import InputError
from vaesearch.events import (
    ArmAdded,
    ArmCut,
    ArmFailed,
    DecisionMade,
    SearchStarted,
    TrialKnown,
    TrialRefused,
    event_from_dict,
    event_to_dict,
)
from vaesearch.search.backends.base import Lost
from vaesearch.search.state import fold
from vaesearch.search.tuning.source import First
from vaesearch.space import Choice, Parameter, Space

GP = pytest.param("gp:n_startup_trials=3", marks=pytest.mark.slow)
SAMPLERS = ["tpe:n_startup_trials=3", GP, "random", "grid:4",
            "cmaes:popsize=4", "nsga2:population_size=3"]  # fmt: skip


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("decoders", ["mlp", "mlp,deconv"])
def test_resumed_from_any_line_is_the_undisturbed_search(sampler, decoders):
    config = config_of(sampler=sampler, decoders=decoders, constraint=("parameters<=12000",))
    first = First(enqueued=[{"learning_rate": 1e-2, "latent_dim": 8, "batch_size": 32}])
    whole, reason = go_on(config, SPACE, first=first)
    assert any(isinstance(e, TrialRefused) for e in whole.events)
    rng = random.Random(0)
    ends = [n for n in range(1, len(whole.events)) if not isinstance(whole.events[n - 1], ArmCut)]
    for end in rng.sample(ends, 6):
        resumed, why = go_on(config, SPACE, whole.events[:end], first=first)
        assert told_of(resumed) == told_of(whole), end
        assert why == reason


@pytest.mark.parametrize("policy", ["auto", "thompson", "uniform", "successive-halving"])
def test_resumed_from_every_line_with_other_policies(policy):
    config = config_of(sampler="random", policy=policy, epochs=40, trials=8)
    whole, _ = go_on(config, SPACE)
    # Cuts are written together with the decision that they belong to.
    ends = [n for n in range(1, len(whole.events)) if not isinstance(whole.events[n - 1], ArmCut)]
    for end in ends:
        assert told_of(go_on(config, SPACE, whole.events[:end])[0]) == told_of(whole), end


def test_resumed_twice_is_the_undisturbed_search():
    config = config_of(sampler="cmaes:popsize=4")
    whole, _ = go_on(config, SPACE)
    once, _ = go_on(config, SPACE, whole.events[:40])
    twice, _ = go_on(config, SPACE, once.events[:70])
    assert told_of(twice) == told_of(whole)


@pytest.mark.parametrize("sampler", ["cmaes:popsize=4", "nsga2:population_size=3"])
def test_stateful_samplers_leave_random_draws_behind(sampler):
    """Else the tests above would compare random draws with themselves."""
    config = config_of(sampler=sampler, trials=12, epochs=100)
    drawn = [e.values for e in go_on(config, SPACE)[0].events if isinstance(e, ArmAdded)]
    events = [SearchStarted("id", "0", config.to_dict(), {})]
    source = source_of(config, SPACE, events)
    alone = source._proposer.propose(fold(events, Budget())).values
    assert drawn[0] == alone
    whole, _ = go_on(config, SPACE)
    joined = [n for n, e in enumerate(whole.events) if isinstance(e, ArmAdded)]
    end = joined[-1]
    state = fold(whole.events[:end], Budget(cap=config.max_epochs_per_arm))
    group = whole.events[end].group
    forgetful = source._proposer.propose(state, group).values
    remembering = source_of(config, SPACE, whole.events[:end])
    assert remembering._proposer.propose(state, group, remembering._memory).values == drawn[-1]
    assert forgetful != drawn[-1]


OTHER_PROCESS = """
import json, sys
from landscape import SPACE, config_of, source_of
from vaesearch.bandits.core import Budget, Decision
from vaesearch.bandits.opening import Opening
from vaesearch.errors import InputError
from vaesearch.events import event_from_dict
from vaesearch.search.state import fold
events = [event_from_dict(json.loads(line)) for line in sys.stdin]
config = config_of(sampler=sys.argv[1])
state = fold(events, Budget(config.epochs, None, config.max_epochs_per_arm, 1, config.trials))
print(json.dumps([e.values for e in source_of(config, SPACE, events).next_arms(state)]))
"""


@pytest.mark.parametrize("sampler", ["tpe:n_startup_trials=3", "cmaes:popsize=4"])
def test_another_process_proposes_the_same(sampler, request):
    config = config_of(sampler=sampler)
    whole, _ = go_on(config, SPACE)
    joined = [n for n, e in enumerate(whole.events) if isinstance(e, ArmAdded)][7]
    lines = "\n".join(json.dumps(event_to_dict(e)) for e in whole.events[:joined])
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, sampler], input=lines, text=True,
        capture_output=True, check=False, cwd=request.config.rootpath / "tests",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [whole.events[joined].values]
    assert event_from_dict(json.loads(lines.splitlines()[-1])) == whole.events[joined - 1]


def test_several_workers_get_distinct_arms_in_order():
    log, _ = go_on(config_of(trials=10, sampler="tpe:n_startup_trials=3"), SPACE, workers=3)
    added = [e for e in log.events if isinstance(e, ArmAdded)]
    assert [e.trial for e in added] == list(range(10))
    assert len({json.dumps(e.values) for e in added}) == 10


def test_nothing_is_proposed_twice_and_a_used_up_space_ends_the_search():
    for sampler in ("tpe", "random", "grid", "nsga2:population_size=3"):
        config = config_of(trials=50, epochs=300, sampler=sampler)
        log, reason = go_on(config, SMALL)
        values = [e.values for e in log.events if isinstance(e, ArmAdded)]
        assert len(values) == len({json.dumps(v) for v in values}) == 9
        assert reason.startswith("all 9 points of the space were proposed")


def test_every_group_uses_up_its_own_points():
    config = config_of(trials=50, epochs=300, decoders="mlp,deconv")
    log, _ = go_on(config, SMALL)
    groups = [e.group for e in log.events if isinstance(e, ArmAdded)]
    assert sorted(groups) == ["deconv"] * 9 + ["mlp"] * 9


def test_enqueued_points_come_first_in_every_group():
    points = [{"latent_dim": 8, "batch_size": 1}, {"latent_dim": 2, "batch_size": 3}]
    config = config_of(decoders="mlp,deconv")
    log, _ = go_on(config, SMALL, first=First(enqueued=points))
    for group in ("mlp", "deconv"):
        added = [e.values for e in log.events if isinstance(e, ArmAdded) and e.group == group]
        assert added[:2] == points


class Deadly(Landscape):
    """Of which the first worker that gets ``trial-001`` dies, as often as it is tried."""

    def wait(self, timeout):
        return [
            Lost(o.worker, o.job, "killed") if o.job.arm.name == "trial-001" else o
            for o in super().wait(timeout)
        ]


def test_trial_whose_workers_died_is_proposed_once_more():
    config = config_of(trials=6)
    log, _ = go_on(config, SPACE, backend=Deadly())
    failed = next(e for e in log.events if isinstance(e, ArmFailed))
    assert failed.arm == "trial-001"
    assert failed.lost
    later = [e for e in log.events if isinstance(e, ArmAdded) and e.seq > failed.seq]
    again = [e for e in later if e.again is not None]
    assert [e.again for e in again] == [1]
    assert again[0] is later[0]
    first = next(e for e in log.events if isinstance(e, ArmAdded) and e.arm == "trial-001")
    assert again[0].values == first.values
    added = [e for e in log.events if isinstance(e, ArmAdded)]
    assert len(added) == 7  # the repetition is no trial of its own


def test_a_lost_trial_is_repeated_without_asking_what_it_costs_again():
    asked = []

    def slower_each_time(settings):
        asked.append(settings)
        return 1.0 + len(asked)

    config = config_of(trials=6, constraint=("seconds<=7.5",))
    log, _ = go_on(config, SPACE, backend=Deadly(), seconds=slower_each_time)
    [again] = [e for e in log.events if isinstance(e, ArmAdded) and e.again is not None]
    assert again.again == 1
    assert len(asked) == sum(isinstance(e, ArmAdded) for e in log.events) - 1


@pytest.mark.parametrize("decoders", ["mlp", "mlp,deconv"])
def test_arms_go_on_joining_where_the_best_by_rank_is_not_the_best_by_reward(decoders):
    options = {"sampler": "random", "trials": 100, "decoders": decoders}
    alone = go_on(config_of(**options), SPACE)[0].events
    both = go_on(config_of(objective=("bpd", "consistency"), **options), SPACE)[0].events
    joined = [sum(isinstance(e, ArmAdded) for e in events) for events in (alone, both)]
    assert joined[1] >= 0.8 * joined[0]
    if decoders != "mlp":
        groups = [e.group for e in both if isinstance(e, ArmAdded)]
        assert abs(groups.count("mlp") - groups.count("deconv")) <= 1


def test_longer_pulls_do_not_carry_every_arm_to_its_cap():
    config = config_of(sampler="random", trials=100, chunk=2, max_epochs_per_arm=30, epochs=120)
    log, _ = go_on(config, SPACE)
    epochs = [e.epochs for e in log.events if isinstance(e, DecisionMade)]
    assert min(epochs) == 2
    assert sum(isinstance(e, ArmAdded) for e in log.events) >= 15


class OneByOne:
    """Cuts each arm after an epoch and waits for another one."""

    def choose(self, history, rng):
        [arm] = history.candidates
        if arm.epochs:
            return Decision(None, "next, please", cut={arm.name: "seen"})
        return Decision(arm.name, "a look")

    def opening(self, history, groups, rng):
        return None if history.candidates else Opening(groups[0], "nobody is left")


def test_a_policy_that_cuts_the_last_arm_gets_another():
    config = config_of(trials=5, epochs=50)
    policy = OneByOne()
    log, reason = go_on(config, SPACE, policy=policy, opener=policy)
    assert sum(isinstance(e, ArmAdded) for e in log.events) == 5
    assert reason.startswith("all 5 trials were proposed")
    more, _ = go_on(config_of(trials=7, epochs=50), SPACE, log.events, policy=policy,
                    opener=policy)  # fmt: skip
    assert sum(isinstance(e, ArmAdded) for e in more.events) == 7


def test_known_trials_are_written_once_and_first():
    known = [
        TrialKnown(n, {"latent_dim": 2, "batch_size": n + 1}, "mlp", {"bpd": 4.0}, "old: a")
        for n in range(2)
    ]
    config = config_of()
    whole, _ = go_on(config, SMALL, first=First(known))
    assert [type(e) for e in whole.events[1:3]] == [TrialKnown, TrialKnown]
    values = [e.values for e in whole.events if isinstance(e, ArmAdded)]
    assert len(values) == 7  # of nine points, two are known
    for end in (1, 2, 3, 4):
        resumed, _ = go_on(config, SMALL, whole.events[:end], first=First(known))
        assert told_of(resumed) == told_of(whole)
        assert sum(isinstance(e, TrialKnown) for e in resumed.events) == 2


def test_many_refusals_in_a_row_end_the_search_in_words():
    config = config_of(constraint=("parameters<=1500",))
    log, reason = go_on(config, SPACE)
    refused = [e for e in log.events if isinstance(e, TrialRefused)]
    assert len(refused) == 100
    assert not any(isinstance(e, ArmAdded) for e in log.events)
    smallest = min(e.values["latent_dim"] for e in refused) * 1000
    assert reason.startswith("100 proposals in a row were refused, 100 of them by --constraint")
    assert f"the smallest figure among those was {smallest}." in reason


def test_an_arm_that_joins_waits_for_the_next_decision():
    config = config_of()
    events = [SearchStarted("id", "0", config.to_dict(), {})]
    source = source_of(config, SPACE, events)
    log = Log(events)
    budget = Budget(config.epochs, None, config.max_epochs_per_arm, 1, config.trials)
    joining = source.next_arms(fold(log.events, budget))
    assert len(joining) == 1
    log.append(joining[0])
    assert list(source.next_arms(fold(log.events, budget))) == []


def test_group_that_is_used_up_is_offered_no_more():
    one = Space((Parameter("latent_dim", Choice((4,))),))
    config = config_of(decoders="mlp,deconv", trials=20)
    log, reason = go_on(config, one)
    assert [e.group for e in log.events if isinstance(e, ArmAdded)] == ["mlp", "deconv"]
    assert reason.startswith("all 1 points of the space")


def test_group_of_which_everything_is_refused_does_not_end_the_others():
    def admit_mlp(arm):
        if arm.settings.decoder == "deconv":
            raise InputError("it does not fit the images.")
        return admit(arm)

    config = config_of(decoders="mlp,deconv", trials=4)
    log, reason = go_on(config, SPACE, admit=admit_mlp)
    assert [e.group for e in log.events if isinstance(e, ArmAdded)] == ["mlp"] * 4
    assert sum(isinstance(e, TrialRefused) for e in log.events) == 100
    assert reason.startswith("all 4 trials were proposed")
