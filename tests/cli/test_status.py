"""The command as it is typed, on runs in every condition."""

import json
import os
import pty
import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console
from story import START, Story

from vaesearch.cli.app import app
from vaesearch.cli.standing import headline, render
from vaesearch.cli.terminal import _status
from vaesearch.search.run_dir import RunDir
from vaesearch.watching import Look, Status, status_of
from vaesearch.watching.status import Upload


@pytest.fixture
def say(capsys):
    def run(*words):
        status = _status(app, [str(w) for w in words], debug=False)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def story_look(story, *, alive=True, upload=None, remote=False):
    status = status_of(
        story.events, story.state, run_dir="runs/a", resume="vaesearch resume runs/a",
        alive=alive, now=START + len(story.events), upload=upload or Upload(False),
    )  # fmt: skip
    return Look(status, None if remote else story.state)


def drawn(found, width=110):
    console = Console(width=width, record=True, file=StringIO())
    console.print(render(found, console), soft_wrap=True)
    return console.export_text()


def test_a_finished_search(say, run_dir):
    status, out, err = say("status", run_dir)
    assert (status, err) == (0, "")
    assert out.startswith("finished: the budget of 4 epochs is spent\n")
    assert "4/4 epochs, 0 left" in out
    assert "MLflow: not tracked" in out


def test_json(say, run_dir):
    status, out, _ = say("status", run_dir, "--json")
    assert status == 0
    assert Status.from_dict(json.loads(out)).condition == "finished"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status"], "which run?"),
        (["status", "nowhere"], "there is no nowhere"),
        (["status", "."], "is not a run directory"),
        (["statsu", "x"], "did you mean 'status'"),
    ],
)
def test_mistakes(say, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = say(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) <= 2


def test_the_newest_run_is_suggested(say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAESEARCH_RUNS", "of mine")
    run = RunDir(tmp_path / "of mine" / "a b")
    run.create()
    run.lock()
    run.unlock()
    assert say("status")[2].endswith("vaesearch status 'of mine/a b'\n")


def test_a_search_at_work_with_troubles():
    story = Story().example().decide(0)
    text = drawn(story_look(story, upload=Upload(True, 7, 30, error="no\nroute")))
    assert text.startswith("waiting: no worker is up")
    assert "pulls that wait for a worker: 1" in text
    assert "troubles: 1 arm failed" in text
    assert "trial-004 failed: loss is NaN" in text
    assert "0 more arms, 1 proposals refused" in text
    assert "MLflow: 7 of 30 lines sent; the last attempt failed: no route" in text


def test_a_stopped_search_says_how_to_go_on_and_that_nobody_works():
    story = Story().example().decide(0)
    text = drawn(story_look(story, alive=False))
    assert text.startswith("stopped: no process works on it")
    assert text.rstrip().endswith("Next: vaesearch resume runs/a")
    assert "no worker yet" not in text


def test_hundreds_of_trials_are_short():
    story = Story()
    for number in range(300):
        story.add().pull(number, 5.0 + number / 100)
    text = drawn(story_look(story))
    assert "... and 280 more arms" in text
    assert len(text.splitlines()) < 40


def test_what_another_machine_told_is_drawn_without_curves():
    text = drawn(story_look(Story().example(), remote=True))
    assert "trial-000" in text
    assert "3.600" in text
    assert "cut: behind" in text


def test_the_headline_changes_only_with_news():
    story = Story().example()
    assert headline(story_look(story).status) == headline(story_look(story).status)
    assert "best trial-000 3.600 bits/dim" in headline(story_look(story).status)
    assert "1 arm failed" in headline(story_look(story).status)


def test_watching_ends_with_the_search(say, run_dir):
    status, out, _ = say("status", run_dir, "--watch")
    assert status == 0
    assert out.startswith("finished (the budget of 4 epochs is spent), 4/4 epochs, best ")
    _, out, _ = say("status", run_dir, "--watch", "--json")
    assert json.loads(out)["condition"] == "finished"


def test_q_ends_the_watching_of_a_terminal(run_dir):
    ledger = run_dir / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vaesearch", "status", str(run_dir), "--watch"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs,
        env=os.environ | {"TERM": "xterm"}, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        drawn = b""
        while b"Next: vaesearch resume" not in drawn:
            drawn += os.read(ours, 4096)
        os.write(ours, b"q")
        assert process.wait() == 0
    os.close(ours)
