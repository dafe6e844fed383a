import json
import os
from pathlib import Path

import pytest
import yaml
from searched import copy_of

from vaesearch.errors import LedgerError, RunDirError
from vaesearch.search.run_dir import RunDir
from vaesearch.watching import look


def contents(folder):
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def test_a_finished_run_is_left_as_it_is(run_dir):
    ledger = run_dir / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"seq": 99, "to')
    before = contents(run_dir)
    found = look(str(run_dir))
    assert found.status.condition == "finished"
    assert found.status.epochs == 4
    assert found.state.ranking[0] == found.status.best_arm
    assert contents(run_dir) == before


def test_a_run_that_is_held_and_one_that_was_stopped(run_dir):
    ledger = run_dir / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-1]))
    run = RunDir(run_dir)
    run.lock()
    # The times of its lines are long past, whatever the clock says of the run.
    last = json.loads(lines[-2])["time"]
    assert look(str(run_dir), lambda: last + 5).status.condition == "running"
    run.unlock()
    stopped = look(str(run_dir), lambda: last + 5).status
    assert stopped.condition == "stopped"
    assert stopped.cure == f"vaesearch resume '{run_dir}'"


def test_a_look_does_not_keep_a_search_from_starting(run_dir):
    look(str(run_dir))
    run = RunDir(run_dir)
    run.lock()
    run.unlock()


def test_a_run_that_is_being_made(tmp_path):
    run = RunDir(tmp_path / "new")
    run.create()
    with pytest.raises(RunDirError, match="is not a run directory"):
        look(str(run.path))
    run.lock()
    assert look(str(run.path)).status.condition == "starting"
    run.ledger.touch()
    assert look(str(run.path)).status.condition == "starting"
    run.unlock()
    run.config.write_text("dataset: digits\n")
    assert look(str(run.path)).status.condition == "stopped"


@pytest.mark.parametrize(("results", "condition"), [(None, "stopped"), ("mlp", "finished")])
def test_a_shared_encoder_is_said_to_be_one(tmp_path, results, condition):
    run = RunDir(tmp_path / "shared")
    run.create()
    run.config.write_text(yaml.safe_dump({"shared_encoder": True}))
    if results:
        run.results.write_text(json.dumps({"best_decoder": results}))
    found = look(str(run.path)).status
    assert (found.kind, found.condition) == ("shared encoder", condition)
    assert found.best_arm == results


def test_a_shared_encoder_at_work(tmp_path):
    run = RunDir(tmp_path / "shared")
    run.create()
    run.config.write_text("# version\nshared_encoder: true\n")
    run.lock()
    assert look(str(run.path)).status.condition == "running"
    run.unlock()


def test_how_far_the_upload_is(run_dir):
    ledger = run_dir / "ledger.jsonl"
    assert not look(str(run_dir)).status.upload.tracked
    text = ledger.read_text().replace('"tracking_uri":"none"', '"tracking_uri":null')
    ledger.write_text(text)
    cursor = run_dir / "tracking.json"
    cursor.write_text('{"uri": "x", "experiment": "y", "sent": 3, "error": "no route"}')
    upload = look(str(run_dir)).status.upload
    lines = len(text.splitlines())
    assert (upload.tracked, upload.sent, upload.of, upload.error) == (True, 3, lines, "no route")
    cursor.write_text('{"uri"')  # on the point of being replaced
    assert look(str(run_dir)).status.upload.sent == 0


def test_what_is_no_run(tmp_path, run_dir):
    with pytest.raises(RunDirError, match="there is no"):
        look(str(tmp_path / "nowhere"))
    with pytest.raises(RunDirError, match=r"did you mean .*copy of a run"):
        look(str(run_dir.parent))
    with pytest.raises(RunDirError, match="is not a run directory"):
        look(os.devnull)


def test_damage_is_said(searched, tmp_path):
    path = copy_of(searched, tmp_path)
    ledger = path / "ledger.jsonl"
    ledger.write_bytes(b"x" + ledger.read_bytes())
    with pytest.raises(LedgerError, match="line 1 is damaged"):
        look(str(path))
