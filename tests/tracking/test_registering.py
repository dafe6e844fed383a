from vaesearch.search.state import SearchState, advance
from vaesearch.tracking.registering import (
    ARM,
    CHECKPOINT,
    IMAGES,
    REWARD,
    SEARCH,
    YARDSTICK,
    candidate_of,
)


def candidate(search):
    state = SearchState()
    for event in search.ledger.events:
        state = advance(state, event)
    return candidate_of(state)


def test_the_best_arm_of_a_finished_search_is_registered(search):
    found = candidate(search.example())
    assert found.arm == found.tags[ARM] == "deconv"
    assert found.tags[SEARCH] == "id-1"
    assert found.tags[REWARD] == "-5.0"
    assert found.tags[CHECKPOINT] == found.checkpoint == "epoch 2"
    assert found.tags["test_bpd"] == "4.5"
    assert "deconv, epoch 2" in found.description


def test_nothing_is_registered_before_the_end(search):
    assert candidate(search.start("mlp").pull("mlp", -1.0)) is None


def test_a_version_is_known_by_its_search_and_checkpoint(search):
    found = candidate(search.example())
    assert found.is_version(found.tags)
    assert not found.is_version(found.tags | {CHECKPOINT: "other"})
    assert not found.is_version(found.tags | {SEARCH: "other"})
    assert not found.is_version({})


def test_only_what_was_measured_alike_is_beaten(search):
    found = candidate(search.example())
    assert found.beats(None)
    assert found.beats(found.tags | {REWARD: "-6.0"})
    assert not found.beats(found.tags | {REWARD: "-5.0"})
    assert not found.beats(found.tags | {REWARD: "-6.0", IMAGES: "others"})
    assert not found.beats(found.tags | {REWARD: "-6.0", YARDSTICK: "elbo"})
