import pytest
from replays import CURVES, curve

from vaesearch.errors import InputError
from vaesearch.records import AppraisalRequest, Arm, PullRequest, TrialSettings
from vaesearch.search.backends.replay import ReplayBackend

ARM = Arm("fast", TrialSettings(decoder="mlp"))


def test_the_clock_moves_to_the_first_end_of_a_pull():
    curves = {"fast": curve(-8, -5, 3, seconds=1.0), "slow": curve(-8, -5, 3, seconds=5.0)}
    backend = ReplayBackend(curves, workers=2)
    backend.submit(PullRequest(0, Arm("slow", ARM.settings), 0, 1), "worker-1")
    backend.submit(PullRequest(1, ARM, 0, 2), "worker-2")
    assert backend.idle() == []
    (first,) = backend.wait(0)
    assert (first.job.pull, backend.now(), backend.idle()) == (1, 2.0, ["worker-2"])
    assert [r.epoch for r in first.result.epochs] == [1, 2]
    (second,) = backend.wait(0)
    assert (second.job.pull, backend.now()) == (0, 5.0)


def test_a_deadline_cuts_whole_epochs():
    backend = ReplayBackend(CURVES)
    backend.submit(PullRequest(0, ARM, 3, 5, seconds_left=2.5), "worker-1")
    (outcome,) = backend.wait(0)
    assert [r.epoch for r in outcome.result.epochs] == [4, 5]
    assert backend.now() == 2.5


def test_a_search_cannot_go_on_beyond_the_recording():
    backend = ReplayBackend({"fast": CURVES["fast"][:3]})
    backend.submit(PullRequest(0, ARM, 2, 5), "worker-1")
    (outcome,) = backend.wait(0)
    assert [r.epoch for r in outcome.result.epochs] == [3]
    with pytest.raises(InputError, match="3 epochs of fast were recorded"):
        backend.submit(PullRequest(1, ARM, 3, 1), "worker-1")


def test_every_pull_has_its_overhead():
    backend = ReplayBackend(CURVES, overhead={"fast": 0.75})
    backend.submit(PullRequest(0, ARM, 0, 2), "worker-1")
    backend.wait(0)
    assert backend.now() == 2.75
    backend.submit(PullRequest(1, ARM, 2, 9, seconds_left=3.5), "worker-1")
    (outcome,) = backend.wait(0)
    assert ([r.epoch for r in outcome.result.epochs], backend.now()) == ([3, 4], 6.25)
    everywhere = ReplayBackend(CURVES, overhead=0.5)
    everywhere.submit(PullRequest(0, ARM, 0, 1), "worker-1")
    everywhere.wait(0)
    assert everywhere.now() == 1.5


def test_there_is_nothing_to_replay_or_to_appraise():
    with pytest.raises(InputError, match="nothing recorded"):
        ReplayBackend({"a": []})
    with pytest.raises(InputError, match="no models"):
        ReplayBackend(CURVES).submit(AppraisalRequest(ARM, 1, "x"), "worker-1")
