"""Measurements of a run directory, as MLflow shows them."""

import json
import shutil
from dataclasses import replace

import pytest

from vaesearch.assessment.evaluating import Assessment
from vaesearch.assessment.sending import publish
from vaesearch.errors import VaesearchError
from vaesearch.records import Estimate
from vaesearch.search.evaluations import Key, Record, merge_records
from vaesearch.tracking import core
from vaesearch.tracking.core import make_tracker, send_evaluations, sync
from vaesearch.tracking.cursor import exclusive, load_cursor, lock_path
from vaesearch.tracking.evaluations import read_update
from vaesearch.tracking.uploader import follow

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
    pytest.mark.timeout(180),
]


def record(spec="elbo", value=-104.5, error=0.5, images=60, time=1_700_000_100.0, split="test"):
    name = spec.partition(":")[0]
    key = Key(name, {"spec": spec}, split, images, 0, {}, "abc", "def", "0.1.0")
    return Record(spec, key, {name: Estimate(value, error, images)}, time=time)


def keep(run_dir, *records, arm="mlp", epoch=2):
    path = run_dir.evaluation(arm, epoch)
    merge_records(path, arm, epoch, records)
    return path


def points(update):
    return {p.key: p.value for p in update.points}


def test_a_figure_and_its_error_are_metrics_at_the_epoch(search):
    [value, error] = read_update(keep(search.run_dir, record())).points
    assert (value.key, value.value) == ("evaluation/test/elbo", -104.5)
    assert (error.key, error.value) == ("evaluation/test/elbo_error", 0.5)
    assert {value.step, error.step} == {2}
    assert {value.time_ms, error.time_ms} == {1_700_000_100_000}


def test_settings_and_splits_tell_figures_apart(search):
    path = keep(
        search.run_dir, record("iwae", -1.0), record("iwae:5", -2.0), record(split="valid"),
        record("gap:points=3,steps=4", -3.0),
        replace(record("iwae:7"), figures={"iwae_7": Estimate(-4.0)}),
        replace(record("iwae:samples=9,gmm=3"), figures={"iwae_9_gain": Estimate(-4.0)}),
    )  # fmt: skip
    assert {k for k in points(read_update(path)) if not k.endswith("_error")} == {
        "evaluation/test/iwae", "evaluation/test/iwae_5", "evaluation/valid/elbo",
        "evaluation/test/gap_points-3_steps-4", "evaluation/test/iwae_7",
        "evaluation/test/iwae_9_gain_gmm-3",
    }  # fmt: skip


def test_of_two_measurements_that_on_more_images_is_shown_else_the_later(search):
    whole, part = record(value=-1.0), record(value=-2.0, images=9, time=1_700_000_200.0)
    assert points(read_update(keep(search.run_dir, whole, part)))["evaluation/test/elbo"] == -1.0
    later = record(value=-3.0, time=1_700_000_300.0)
    path = keep(search.run_dir, later, arm="other")
    merge_records(path, "other", 2, [record("elbo", value=-1.0, split="valid")])
    assert points(read_update(path))["evaluation/test/elbo"] == -3.0


def test_what_is_no_number_is_left_out(search):
    path = keep(search.run_dir, record(value=float("nan"), error=None))
    assert read_update(path).points == []


@pytest.mark.slow
def test_measuring_a_finished_search_sends_it_and_twice_is_once(search, uri, shown):
    search.example()
    path = keep(search.run_dir, record())
    sync(search.run_dir, None, "vaesearch")
    before = shown(uri)
    assert before.history("mlp", "evaluation/test/elbo") == [(2, -104.5, 1_700_000_100_000)]
    assert before.history("mlp", "evaluation/test/elbo_error")[0][1] == 0.5
    assert before.files("mlp", "evaluation") == ["evaluation/mlp-epoch-00002.json"]
    path.touch()  # as a copy of the directory would
    sync(search.run_dir, None, "vaesearch")
    assert shown(uri).everything() == before.everything()
    assert shown(uri).parent.info.status == "FINISHED"


def test_only_what_is_new_is_sent(search, uri, shown, monkeypatch):
    search.example()
    keep(search.run_dir, record())
    send_evaluations(search.run_dir, None, "vaesearch")
    monkeypatch.setattr(core, "_drain", lambda *_: pytest.fail("there was nothing to send"))
    send_evaluations(search.run_dir, None, "vaesearch")
    monkeypatch.undo()
    keep(search.run_dir, record("bpd", 3.5), arm="deconv", epoch=3)
    send_evaluations(search.run_dir, None, "vaesearch")
    assert shown(uri).history("deconv", "evaluation/test/bpd")[0][:2] == (3, 3.5)


def test_a_running_search_sends_them_itself(search, uri, shown, eventually):
    tracker = make_tracker(search.run_dir, None, "vaesearch")
    tracker.start()
    search.start("mlp").pull("mlp", -2.0)
    eventually(lambda: load_cursor(search.run_dir, uri, "vaesearch").sent)
    keep(search.run_dir, record(), epoch=1)
    send_evaluations(search.run_dir, None, "vaesearch")
    there = shown(uri)
    assert there.history("mlp", "evaluation/test/elbo")[0][0] == 1
    assert there.parent.info.status == "RUNNING"
    assert tracker.close(120.0) is None


def test_an_uploader_that_is_stuck_is_not_waited_for_without_end(search, uri, monkeypatch):
    keep(search.start("mlp").run_dir, record())
    monkeypatch.setattr(core, "_SYNC_WAIT", 0.0)
    with (
        exclusive(lock_path(search.run_dir)),
        pytest.raises(VaesearchError, match="is being sent by another process"),
    ):
        send_evaluations(search.run_dir, None, "vaesearch")


def test_files_that_are_damaged_or_of_no_arm_are_left_out(search, uri, shown, caplog):
    search.example()
    keep(search.run_dir, record(), arm="nobody")
    (search.run_dir.evaluations / "torn.json").write_text('{"arm": "mlp"')
    keep(search.run_dir, record())
    assert follow(search.run_dir, uri, "vaesearch", ended=lambda _: True)
    assert "torn.json is left out" in caplog.text
    assert set(shown(uri).arms) == {"mlp", "deconv", "wide+mlp", "bad"}
    assert shown(uri).history("mlp", "evaluation/test/elbo")


def test_a_store_that_was_deleted_gets_all_again(search, uri, shown, template):
    search.example()
    keep(search.run_dir, record())
    assert follow(search.run_dir, uri, "vaesearch", ended=lambda _: True)
    shutil.copy(template, uri.removeprefix("sqlite:///"))
    assert follow(search.run_dir, uri, "vaesearch", ended=lambda _: True)
    assert shown(uri).history("mlp", "evaluation/test/elbo")


def assessed(path, unkept=""):
    return [Assessment("mlp", 2, "abc", path, unkept=unkept)]


def published(search, found):
    notes = []
    publish(search.run_dir.path, found, notes.append)
    return notes


@pytest.mark.slow
def test_a_server_that_is_down_takes_a_line_and_no_figure(search, monkeypatch, uri, shown):
    search.example()
    ledger = search.run_dir.ledger
    ledger.write_text(ledger.read_text().replace("http://user:secret@host", "http://127.0.0.1:9"))
    found = assessed(keep(search.run_dir, record()))
    [note] = published(search, found)
    assert note.startswith("Not in MLflow yet: could not send")
    assert "Connection refused" in note
    assert note.endswith("; `vaesearch sync '" + str(search.run_dir.path).replace("'", "'\"'\"'")
                         + "'` sends it.")  # fmt: skip
    assert len(note.splitlines()) == 1
    assert json.loads(found[0].path.read_text())["measurements"]
    sync(search.run_dir, uri, "vaesearch")
    assert shown(uri).history("mlp", "evaluation/test/elbo")


def test_a_search_that_is_not_tracked_is_not_logged(search, monkeypatch):
    search.example()
    ledger = search.run_dir.ledger
    ledger.write_text(ledger.read_text().replace("http://user:secret@host", "none"))
    monkeypatch.setattr(core, "sync", lambda *_: pytest.fail("nothing was to be sent"))
    assert published(search, assessed(keep(search.run_dir, record()))) == []


def test_what_could_not_be_kept_is_not_sent(search, monkeypatch):
    monkeypatch.setattr(core, "send_evaluations", lambda *_: pytest.fail("it was sent"))
    assert published(search, assessed(search.run_dir.path, unkept="disk full")) == []
