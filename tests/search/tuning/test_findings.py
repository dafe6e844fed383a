from dataclasses import replace

import pytest
from tuned import SPACE, known, tuned_events, tuned_state

from vaesearch.bandits.core import Budget
from vaesearch.search.state import SearchState, advance, fold
from vaesearch.search.tuning.findings import LEADERS, findings, handed_out
from vaesearch.search.tuning.fronts import hypervolume

BOTH = ("bpd", "consistency")


@pytest.fixture(scope="module")
def state():
    return tuned_state(trials=60, objectives=BOTH, groups=("mlp", "deconv"))


def test_every_trial_is_there_with_what_came_of_it(state):
    found = findings(state)
    assert [t.number for t in found.trials] == list(range(60))
    assert {t.state for t in found.trials} == {"complete", "pruned", "failed", "refused"}
    for trial in found.trials:
        assert (trial.arm is None) == (trial.state == "refused") == (trial.epochs == 0)
        if trial.arm:
            best = state.arms[trial.arm].best
            assert trial.figures == {name: best.metrics[name] for name in BOTH}
            assert trial.values == state.arms[trial.arm].values
    refused = found.trials[7]
    assert refused.reason == "parameters: 2e6 is above 1e6"


def test_the_best_is_that_of_the_search(state):
    found = findings(state)
    assert found.best.arm == state.ranking[0] == state.finished.best_arm
    assert found.best_values == state.arms[state.ranking[0]].values
    rewards = [state.arms[found.trials[n].arm].best.reward for n in found.ranking]
    failed = [found.trials[n].state == "failed" for n in found.ranking]
    assert failed == sorted(failed)
    sound = rewards[: failed.index(True)]
    assert sound == sorted(sound, reverse=True)


def test_the_front_is_what_no_sound_trial_dominates(state):
    found = findings(state)
    points = {
        t.number: (t.figures["bpd"], t.figures["consistency"])
        for t in found.trials
        if t.state in ("complete", "pruned")
    }

    def beaten(point):
        return any(other != point and other[0] <= point[0] and other[1] <= point[1]
                   for other in points.values())  # fmt: skip

    expected = {number for number, point in points.items() if not beaten(point)}
    assert set(found.front) == expected
    assert len(expected) > 2
    worst = tuple(max(column) for column in zip(*points.values(), strict=True))
    assert found.reference == dict(zip(BOTH, worst, strict=True))
    assert found.volume == pytest.approx(hypervolume(list(points.values()), worst))


def test_with_one_objective_the_front_is_the_best():
    found = findings(tuned_state(trials=30))
    assert found.front == (found.best.number,)
    assert found.volume is None


def test_the_defaults_are_known(state):
    found = findings(state)
    assert found.defaults == (0,)
    assert found.trials[0].values == SPACE.defaults(state.config)


def test_trials_of_earlier_searches_are_told_but_not_ranked(state):
    values = dict(findings(state).trials[1].values)
    events = [*tuned_events(trials=60)[:-1], known(60, values, {"bpd": 0.1})]
    found = findings(fold(events, Budget(cap=27)))
    earlier = found.trials[60]
    assert (earlier.state, earlier.arm, earlier.figures) == ("known", None, {"bpd": 0.1})
    assert earlier.reason == "runs/first"
    assert 60 not in found.ranking
    assert found.best.number != 60


def test_a_search_without_an_epoch_found_nothing():
    state = SearchState()
    for event in tuned_events(trials=3)[:2]:
        state = advance(state, event)
    found = findings(state)
    assert (found.best, found.best_values, found.front) == (None, {}, ())
    assert [t.state for t in found.trials] == ["running"]


def test_handed_out_are_the_leaders_the_front_and_the_best_of_each_group(state):
    found = findings(state)
    arms = handed_out(state)
    assert {found.trials[n].arm for n in found.front} <= arms
    assert {found.trials[n].arm for n in found.ranking[:LEADERS]} <= arms
    for group in ("mlp", "deconv"):
        best = next(n for n in found.ranking if found.trials[n].group == group)
        assert found.trials[best].arm in arms
    assert len(arms) <= LEADERS + len(found.front) + 2
    assert not any(state.history.arm(name).status == "failed" for name in arms)


def test_a_figure_that_was_not_measured_keeps_a_trial_off_the_front(state):
    best = state.arms[state.ranking[0]]
    bare = tuple(replace(r, metrics={"bpd": r.metrics["bpd"]}) for r in best.reports)
    without = replace(state, arms=state.arms | {state.ranking[0]: replace(best, reports=bare)})
    found = findings(without)
    assert found.best.arm == state.ranking[0]
    assert found.best.number not in found.front
    assert found.best.figures == {}
