"""The study of a search says what the search says, however it came to be written."""

import math
import sqlite3
import threading
from datetime import datetime

import optuna
from story import SPACE, START, Story
from studies import key, mirror, shown, told, written

from vaesearch.search.tuning import mirroring
from vaesearch.search.tuning.addresses import parse
from vaesearch.search.tuning.mirror import Times, Wanted, rungs
from vaesearch.search.tuning.storage import opened
from vaesearch.search.tuning.study import default_name
from vaesearch.search.tuning.writing import StudyWriter


def wanted(story):
    times = Times()
    for event in story.events:
        times.note(event)
    return list(Wanted(SPACE, story.state, times).trials())


def states(story):
    return [trial.state.name for trial in wanted(story)]


def test_rungs_are_powers_of_two():
    assert [rungs(n) for n in (0, 1, 3, 8, 9)] == [[], [1], [1, 2], [1, 2, 4, 8], [1, 2, 4, 8]]


def test_each_fate_is_a_state_and_numbers_are_the_searchs():
    trials = wanted(Story().example())
    assert [t.number for t in trials] == [0, 1, 2, 3, 4, 5]
    assert [t.state.name for t in trials] == [
        "COMPLETE", "PRUNED", "PRUNED", "COMPLETE", "FAIL", "RUNNING",
    ]  # fmt: skip
    assert [t.values for t in trials] == [[3.6], [6.0], None, [4.2], None, None]


def test_values_and_curves_are_of_what_could_be_handed_out():
    trial = wanted(Story().example())[0]
    assert trial.intermediate_values == {1: 5.0, 2: 4.0, 4: 3.9, 8: 3.6}
    assert trial.user_attrs == {
        "arm": "trial-000", "group": "mlp", "parameters": 1000, "epochs": 8, "best_epoch": 7,
    }  # fmt: skip


def test_the_last_epoch_of_an_ended_trial_is_reported_though_it_is_no_rung():
    story = Story().add().pull(0, 5.0, 4.0, 3.0)
    assert list(wanted(story)[0].intermediate_values) == [1, 2]
    assert list(wanted(story.cut(0))[0].intermediate_values) == [1, 2, 3]


def test_why_a_trial_was_not_trained_is_told():
    trials = wanted(Story().example())
    assert trials[2].user_attrs["note"] == "too large"
    assert trials[2].constraints == {"parameters": 0.5}
    assert trials[3].user_attrs["source"] == "runs/before"
    assert trials[1].user_attrs["note"] == "behind"
    assert trials[4].user_attrs["note"] == "loss is NaN"


def test_an_arm_that_was_cut_in_flight_runs_until_it_lands():
    story = Story().add().pull(0, 5.0).decide(0).cut(0)
    assert states(story) == ["RUNNING"]
    assert states(story.pull(0, 4.0, decided=True)) == ["PRUNED"]


def test_the_end_completes_open_arms_and_the_best_one_though_it_was_cut():
    story = Story().add().pull(0, 5.0).add().pull(1, 4.0).cut(1).add().pull(2, 6.0).cut(2).add()
    assert states(story) == ["RUNNING", "PRUNED", "PRUNED", "RUNNING"]
    assert states(story.finish(1)) == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"]


def test_the_front_of_several_objectives_is_complete():
    story = Story(objective=("bpd", "kl")).add().pull(0, 5.0).add().pull(1, 4.0).cut(0)
    assert wanted(story.finish(1))[0].values == [5.0, 5.0]
    assert states(story) == ["COMPLETE", "COMPLETE"]


def test_values_that_are_no_numbers_are_left_out():
    story = Story().add().pull(0, math.nan).cut(0).know(bpd=math.nan).know(kl=1.0)
    assert [(t.state.name, t.values) for t in wanted(story)] == [("PRUNED", None)] * 3


def test_a_value_outside_of_the_space_is_an_attribute():
    [trial] = wanted(Story().add(alpha=7.0, latent_dim=4.0))
    assert trial.params == {"latent_dim": 4, "posterior": "gaussian"}
    assert trial.user_attrs["value_alpha"] == 7.0


def test_trials_have_the_moments_of_their_events():
    trial = wanted(Story().add().pull(0, 5.0).cut(0))[0]
    moments = [datetime.fromtimestamp(START + n) for n in (1, 5)]
    assert [trial.datetime_start, trial.datetime_complete] == moments


def test_what_is_written_is_what_is_wanted(url):
    story = Story().example()
    study = written(story, url)
    assert [(t.number, t.state, t.values, t.params, t.intermediate_values, t.user_attrs)
            for t in study.trials] == [
        (t.number, t.state, t.values, t.params, t.intermediate_values, t.user_attrs)
        for t in wanted(story)
    ]  # fmt: skip
    assert study.metric_names == ["bpd"]
    assert study.directions == [optuna.study.StudyDirection.MINIMIZE]
    assert study.user_attrs["search_id"] == "0123456789abcdef"
    assert study.user_attrs["run_dir"] == "/runs/one"
    assert study.best_trial.number == 0


def test_several_objectives_have_directions_and_names(url):
    story = Story(objective=("bpd", "elbo")).add().pull(0, 5.0)
    study = written(story, url)
    assert [d.name for d in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert study.metric_names == ["bpd", "elbo"]


def test_test_figures_reach_trials_that_have_ended(url):
    story = Story().example()
    before = written(story, url)
    study = written(story.ended(), url)
    assert study._study_id == before._study_id
    assert study.trials[1].user_attrs["test_bpd"] == 6.1
    assert study.trials[0].user_attrs["test_bpd"] == 3.7
    assert written(story.appraise(1, bpd=6.0), url).trials[1].user_attrs["test_bpd"] == 6.0


def test_a_search_that_goes_on_is_written_anew_under_its_name(url):
    story = Story().example().ended()
    before = written(story, url)
    assert before.trials[5].state.name == "COMPLETE"
    after = written(story.resume(epochs=200), url)
    assert after.study_name == before.study_name
    assert after.trials[5].state.name == "RUNNING"
    assert told(after)[:5] == told(before)[:5]
    assert len(optuna.get_all_study_names(url.replace("{", "{{").replace("}", "}}"))) == 1


def test_a_deleted_study_comes_back(url, database):
    story = Story().example().ended()
    before = told(written(story, url))
    with opened(parse(url)) as storage:
        storage.delete_study(storage.get_study_id_from_name(story.config.study))
    assert told(written(story, url)) == before
    database.unlink()
    assert told(written(story, url)) == before


def test_trials_of_somebody_else_are_not_overwritten(url):
    story = Story().example()
    study = written(story, url)
    study.ask()
    study.ask()
    writes = mirror(story, url)
    writes.start(story.events, story.state)
    assert "trials that are not of this search" in writes.close(60.0)
    assert len(shown(url, story.config.study).trials) == 8


def test_trials_whose_lines_a_crash_took_are_written_again(url):
    story = Story().example()
    study = written(story, url)
    before = told(study)
    lost = study.ask()
    lost.set_user_attr("arm", "trial-006")
    writes = mirror(story, url)
    writes.start(story.events, story.state)
    assert writes.close(60.0) is None
    assert told(shown(url, story.config.study)) == before


def test_following_a_search_and_writing_it_at_the_end_give_the_same(url, monkeypatch):
    monkeypatch.setattr(mirroring, "PAUSE", 0.0)
    story = Story()
    follower = mirror(story, url)
    follower.start(story.events, story.state)
    story.example().ended().resume().finish(0)
    assert follower.close(60.0) is None
    other = Story("fedcba9876543210").example().ended().resume().finish(0)
    assert told(shown(url, story.config.study)) == told(written(other, url))


class DiedError(Exception):
    pass


class Dying:
    """A storage that dies at its n-th change."""

    def __init__(self, storage, changes):
        self._storage, self._left = storage, changes

    def __getattr__(self, name):
        found = getattr(self._storage, name)
        if not name.startswith(("create", "set", "delete")):
            return found

        def change(*arguments):
            self._left -= 1
            if self._left < 0:
                raise DiedError
            return found(*arguments)

        return change


def test_a_writer_that_dies_at_any_change_leaves_what_the_next_one_completes(url):
    story = Story().example()
    before, half = list(story.events), story.state
    story.ended().resume().pull(5, 5.0, 4.8).finish(0)
    expected = None
    deaths = 0
    with opened(parse(url)) as storage:
        for changes in (0, 4, 11, 17):
            for events, state in ((before, half), (story.events, story.state)):
                times = Times()
                for event in events:
                    times.note(event)
                try:
                    writer = StudyWriter(Dying(storage, changes), key(story))
                    writer.write(Wanted(SPACE, state, times), state.trials)
                except DiedError:
                    deaths += 1
            writer = StudyWriter(storage, key(story))
            writer.write(Wanted(SPACE, story.state, times), story.state.trials)
            found = told(shown(url, story.config.study))
            expected = expected or found
            assert found == expected
            storage.delete_study(storage.get_study_id_from_name(story.config.study))
    assert deaths > 4
    assert [trial[1] for trial in expected] == [t.state.name for t in wanted(story)]


def test_a_storage_that_is_away_for_a_while_loses_nothing(url, database, monkeypatch):
    monkeypatch.setattr(mirroring, "PAUSE", 0.0)
    monkeypatch.setattr(mirroring, "LONGEST_WAIT", 0.05)
    story = Story()
    follower = mirror(story, url)
    away = database.with_name("away")
    database.rename(away)
    database.mkdir()  # no file can be opened here
    follower.start(story.events, story.state)
    story.example()
    while not follower._error:
        threading.Event().wait(0.01)
    database.rmdir()
    away.rename(database)
    story.ended()
    assert follower.close(60.0) is None
    assert len(shown(url, story.config.study).trials) == 6


def test_what_never_arrived_is_said_with_what_to_do(tmp_path):
    story = Story().example()
    writes = mirror(story, f"sqlite:///{tmp_path}/no/study.db")
    writes.start(story.events, story.state)
    said = writes.close(60.0)
    assert "there is no folder" in said
    assert said.endswith("`vaesearch sync /runs/one` sends the rest.")


def test_a_reader_that_holds_the_file_does_not_stop_the_search(url, database):
    story = Story().add()
    follower = mirror(story, url)
    reader = sqlite3.connect(database, isolation_level=None)
    reader.execute("BEGIN EXCLUSIVE")
    follower.start(story.events, story.state)
    story.pull(0, 5.0)
    assert "still being written" in follower.close(0.2)
    reader.execute("COMMIT")
    reader.close()
    follower._error = ""
    assert follower.close(60.0) is None
    assert shown(url, story.config.study).trials[0].intermediate_values == {1: 5.0}


def test_names_are_the_searchs_own():
    assert default_name("/data/my faces.npz", "0123456789abcdef") == "my faces-01234567"
