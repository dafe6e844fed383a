import math

import pytest
from story import Story

from vaesearch.events import (
    EVENTS,
    ArmAdded,
    ArmShrunk,
    PullFinished,
    SearchStarted,
    WorkerJoined,
    WorkerLeft,
    WorkerLost,
)
from vaesearch.records import TrialSettings
from vaesearch.search.state import SearchState, advance
from vaesearch.tracking.updates import Point, RunUpdate, interrupted, merge, updates_for

CONFIG = {"dataset": "digits", "image_size": 8, "policy": "ucb"}


def updates_of(search):
    state, found = SearchState(), []
    for event in search.ledger.events:
        state = advance(state, event)
        found += updates_for(event, state)
    return state, found


def merged(search):
    return {u.arm: u for u in merge(updates_of(search)[1])}


def steps(update, key):
    return [(p.step, p.value) for p in update.points if p.key == key]


def test_there_is_one_update_for_the_search_and_one_for_each_arm(search):
    assert list(merged(search.example())) == [None, "mlp", "deconv", "wide+mlp", "bad"]


def test_arm_parameters_compare_across_searches(search):
    params = merged(search.example())["deconv"].params
    expected = {"decoder": "deconv", "encoder": "conv", "parameters": "2000", "dataset": "digits",
                "image_size": "32", "policy": "thompson", "seed": "7", "latent_dim": "32",
                "learning_rate": "0.001", "alpha": "0.0"}  # fmt: skip
    assert expected.items() <= params.items()


def test_search_parameters_name_no_secret_and_nothing_unset(search):
    params = merged(search.example())[None].params
    assert params["epochs"] == "12"
    assert params["data/fingerprint"] == "abc"
    assert not {"tracking_uri", "seconds"} & set(params)


def test_curves_have_one_point_per_epoch(search):
    mlp = merged(search.example())["mlp"]
    assert steps(mlp, "reward") == [(1, -8.0), (2, -7.0), (3, -6.5)]
    assert steps(mlp, "bpd") == [(1, 8.0), (2, 7.0), (3, 6.5)]
    assert steps(mlp, "seconds") == [(1, 0.5), (2, 0.5), (3, 0.5)]


def test_the_best_epoch_is_summarised_only_when_it_changes(search):
    search.start("mlp").pull("mlp", -3.0).pull("mlp", -4.0).pull("mlp", -2.0, -1.0, -5.0)
    mlp = merged(search)["mlp"]
    assert steps(mlp, "best/reward") == [(1, -3.0), (4, -1.0)]
    assert steps(mlp, "best/epoch") == [(1, 1.0), (4, 4.0)]
    assert steps(mlp, "best/bpd") == [(1, 3.0), (4, 1.0)]
    assert steps(mlp, "best/train_loss") == []


def test_the_search_shows_its_best_over_the_epochs_spent(search):
    parent = merged(search.example())[None]
    # The arm that failed led with -4 while it lived.
    assert steps(parent, "best/reward") == [(2, -7.0), (5, -5.0), (6, -5.0), (7, -4.0), (8, -5.0)]
    assert steps(parent, "test/bpd") == [(8, 4.5)]


def test_ends_differ_by_cause(search):
    found = merged(search.example())
    ends = {arm: (u.status, u.tags["vaesearch.status"]) for arm, u in found.items()}
    assert ends == {
        None: ("FINISHED", "finished"),
        "mlp": ("FINISHED", "finished"),
        "deconv": ("FINISHED", "finished"),
        "wide+mlp": ("FINISHED", "cut"),
        "bad": ("FAILED", "failed"),
    }
    assert found["bad"].tags["vaesearch.cause"] == "loss is NaN"
    assert found[None].tags["vaesearch.best_arm"] == "deconv"


def test_an_interrupted_search_is_killed_and_runs_again_after_resuming(search):
    search.start("mlp", "bad").fail("bad")
    state, found = updates_of(search)
    stopped = {u.arm: u for u in merge(found + interrupted(state, search.ledger.events[-1]))}
    assert {arm: u.status for arm, u in stopped.items()} == {
        None: "KILLED", "mlp": "KILLED", "bad": "FAILED",
    }  # fmt: skip
    resumed = merged(search.resume())
    assert resumed[None].status == resumed["mlp"].status == "RUNNING"
    assert resumed["bad"].status == "FAILED"


def test_changed_options_are_a_tag_of_the_search(search):
    search.start("mlp").resume()
    assert "vaesearch.changes" not in merged(search)[None].tags
    search.resume(epochs=24, tracking_uri="http://user:secret@host")
    assert merged(search)[None].tags["vaesearch.changes"] == "epochs=24"


def test_merging_keeps_the_first_start_and_the_last_end():
    first = RunUpdate("a", 1, {"p": "1"}, {"t": "old"}, [Point("k", 1.0, 1, 1)])
    second = RunUpdate("a", tags={"t": "new"}, status="RUNNING")
    third = RunUpdate("a", points=[Point("k", 2.0, 2, 2)], status="FAILED", end_ms=9)
    [only] = merge([first, second, third])
    assert only == RunUpdate(
        "a", 1, {"p": "1"}, {"t": "new"}, first.points + third.points, "FAILED", 9
    )


def test_a_long_cause_is_shortened(search):
    search.start("bad").fail("bad", "x" * 10_000)
    assert len(merged(search)["bad"].tags["vaesearch.cause"]) == 500


def test_rewards_that_are_no_numbers_pass_through(search):
    search.start("mlp").pull("mlp", math.nan, -math.inf)
    values = [v for _, v in steps(merged(search)["mlp"], "reward")]
    assert math.isnan(values[0])
    assert values[1] == -math.inf


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_every_kind_of_event_is_covered_by_the_example_or_shows_nothing(search, kind):
    shown = {e.kind for e in search.example().resume().ledger.events}
    shown |= {e.kind for e in Story().example().events}
    tested_below = {"worker_joined", "worker_lost", "worker_left", "arm_shrunk"}
    assert kind in shown | tested_below | {"pull_failed"}


def test_people_find_arms_by_plain_tags(search):
    tags = merged(search.example())["deconv"].tags
    assert tags.items() >= {
        "policy": "thompson", "decoder": "deconv", "encoder": "conv", "status": "finished",
        "epochs": "3",
    }.items()  # fmt: skip
    assert merged(search)[None].tags["status"] == "finished"


def test_workers_are_counted_on_the_search(search):
    search.start("mlp")
    search.add(WorkerJoined("w0", "node", "cpu"))
    search.add(WorkerJoined("w1", "node", "cpu"))
    search.pull("mlp", -1.0)
    search.add(WorkerLost("w1", "killed"))
    search.add(WorkerLeft("w0", "idle"))
    parent = merged(search)[None]
    assert steps(parent, "workers") == [(0, 1.0), (0, 2.0), (1, 1.0), (1, 0.0)]
    assert [value for _, value in steps(parent, "lost_workers")] == [0.0, 0.0, 1.0, 1.0]


def test_an_arm_that_shrank_says_its_batch_size(search):
    search.start("mlp")
    search.add(ArmShrunk("mlp", 16, "out of memory"))
    assert merged(search)["mlp"].tags["batch_size"] == "16"


def test_images_are_datasets_of_the_search_and_of_every_arm(search):
    data = {"name": "digits", "fingerprint": "f" * 64, "pixels": "8bit", "shape": [1, 8, 8],
            "counts": {"train": 100, "valid": 25, "test": 25}}  # fmt: skip
    search.add(SearchStarted("id-1", "0.1.0", CONFIG, data))
    search.add(ArmAdded("mlp", vars(TrialSettings(decoder="mlp")), 1))
    for update in merged(search).values():
        told = [(i.name, i.context, i.profile["num_images"]) for i in update.images]
        assert told == [
            ("digits-train", "training", 100), ("digits-valid", "validation", 25),
            ("digits-test", "testing", 25),
        ]  # fmt: skip
        assert {i.digest for i in update.images} == {"f" * 36}


def test_values_carry_the_time_of_their_event(search):
    search.start("mlp").pull("mlp", -1.0)
    event = search.ledger.events[-1]
    assert isinstance(event, PullFinished)
    assert {p.time_ms for p in merged(search)["mlp"].points} == {round(event.time * 1000)}


def test_a_shape_is_shown_as_it_is_and_repeated_options_as_words():
    started = SearchStarted(
        "id", "0.1.0", {"objective": ["bpd", "mse"], "set": []}, {"shape": [1, 8, 8]}
    )
    [update] = updates_for(started, SearchState())
    assert update.params["data/shape"] == "[1, 8, 8]"
    assert update.params["objective"] == "bpd, mse"
    assert "set" not in update.params
