"""``vaesearch evaluate`` as a user types it, with the obvious mistakes."""

import errno
import io
import json
import shutil
import signal
import subprocess
import time

import numpy as np
import own_metrics
import pytest
import tiny
from click.testing import CliRunner
from rich.console import Console
from searched import add_bad_arms, append, edit

from vaesearch.cli.app import app
from vaesearch.cli.evaluate import Watch, _bars
from vaesearch.cli.terminal import _status
from vaesearch.events import SearchResumed
from vaesearch.search import evaluations


@pytest.fixture
def say(capsys, run_dir):
    """Run ``vaesearch evaluate`` in this process: (status, out, err)."""
    own_metrics.taken.clear()

    def run(*words):
        status = _status(app, ["evaluate", *map(str, words)], debug=False)
        return status, *capsys.readouterr()

    return run


def test_a_table_with_errors_and_where_it_is_kept(say, run_dir):
    status, out, err = say(run_dir, "--metrics", "elbo,bpd:3,own_metrics:Count")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].strip() == "mlp-wide, epoch 2, 60 test images; value ± standard error"
    words = [line.split() for line in lines]
    elbo = next(w for w in words if w[:2] == ["elbo", "elbo"])
    assert elbo[3] == "±"
    assert elbo[5:10] == ["nats", "per", "image", "↑", "60"]
    assert next(w for w in words if w[0] == "bpd:3")[5:8] == ["bits/dim", "↓", "60"]
    assert next(w for w in words if "count" in w)[1:4] == ["count", "60", "images"]
    assert "own_metrics:Count: A note." in lines
    assert lines[-1] == f"Kept: '{run_dir}/evaluation/mlp-wide-epoch-00002.json'"
    assert out.count("cached") == 0
    assert say(run_dir, "--metrics", "bpd:3,elbo")[1].count("cached") == 2


def test_several_arms_stand_side_by_side_with_the_best_marked(say, run_dir):
    add_bad_arms(run_dir)
    status, out, err = say(run_dir, "--arm", "mlp", "--arm", "mlp-wide", "--metrics", "bpd,elbo")
    assert (status, err) == (0, "")
    assert "2 arms, 60 test images" in out
    assert out.count(" *") == 4  # bpd, elbo, reconstruction and what the star means
    assert "Best of a line" in out
    status, out, err = say(run_dir, "--arm", "all", "--metrics", "bpd")
    assert "Left out: mlp failed: loss is NaN" in out
    assert "Left out: late has no checkpoint: not trained yet." in out
    assert " *" not in out


def test_many_arms_are_shown_a_few_abreast(say, run_dir, monkeypatch):
    monkeypatch.setattr("vaesearch.cli.evaluate.ABREAST", 1)
    out = say(run_dir, "--arm", "all", "--metrics", "bpd")[1]
    assert out.count("60 test images") == 2


def test_json_is_all_there_is_on_stdout(say, run_dir):
    words = (run_dir, "--metrics", "bpd,own_metrics:Count", "--arm", "all", "--split", "valid")
    status, out, err = say(*words, "--images", 5, "--seed", 3, "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert [arm["arm"] for arm in content["arms"]] == ["mlp-wide", "mlp"]
    bpd, count = content["arms"][0]["measurements"]
    assert (bpd["spec"], bpd["split"], bpd["images"], bpd["seed"]) == ("bpd", "valid", 5, 3)
    assert bpd["figures"]["bpd"]["error"] > 0
    assert (count["cached"], count["details"]) == (False, {"extractor": "labels"})
    again = json.loads(say(*words, "--images", 5, "--seed", 3, "--json")[1])["arms"][0]
    assert [m["cached"] for m in again["measurements"]] == [True, True]
    assert again["measurements"][0]["figures"] == bpd["figures"]


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["nowhere"], "nowhere is not the directory of a search", 2),
        (["begun"], "begun holds no search yet", 2),
        (["shared"], "which keeps no checkpoints: in Python", 2),
        (["RUN", "--arm", "mpl"], "did you mean 'mlp'", 2),
        (["RUN", "--epoch", "9"], "mlp-wide has no checkpoint of epoch 9", 2),
        (["RUN", "--epoch", "-1"], "mlp-wide has no checkpoint of epoch -1", 2),
        (["RUN", "--epoch", "lst"], "did you mean 'last'", 2),
        (["RUN", "--metrics", "elbow"], "did you mean 'elbo'", 2),
        (["RUN", "--metrics", "bpd:0"], "must be a whole number, at least 1, not 0", 2),
        (["RUN", "--metrics", "bpd:sample=3"], "bpd takes samples", 2),
        (["RUN", "--metrics", ""], "--metrics is empty", 2),
        (["RUN", "--metrics", "own_metrics:Plain"], "make it a dataclass", 2),
        (["RUN", "--metrics", "no_metrics:Mine"], "no module 'no_metrics'", 2),
        (["RUN", "--split", "tst"], "did you mean 'test'", 2),
        (["RUN", "--images", "0"], "--images must be above 0, not 0", 2),
        (["RUN", "--images", "many"], "many", 2),
        (["RUN", "--chunk", "0"], "--chunk must be above 0, not 0", 2),
        (["RUN", "--device", "cuda:77"], "--device cuda:77 cannot be used here: use cpu", 2),
        (["RUN", "--arm", "late"], "late has no checkpoint: not trained yet", 1),
        (["RUN", "--extractr", "x"], "--extractor", 2),
        ([], "RUN_DIR", 2),
    ],
)  # fmt: skip
def test_a_mistake_is_said_in_two_lines_at_most(say, run_dir, tmp_path, words, said, status):
    add_bad_arms(run_dir)
    for name, file, text in (("begun", "ledger.jsonl", ""), ("shared", "config.yaml", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text or "shared_encoder: true\n" * (name == "shared"))
    found, out, err = say(*[run_dir if word == "RUN" else word for word in words])
    assert (found, out) == (status, "")
    assert said in err
    assert len(err.strip().splitlines()) <= 2
    assert not (run_dir / "evaluation").exists()


def damaged(run_dir):
    for path in (run_dir / "checkpoints").glob("*/*.pt"):
        path.write_bytes(path.read_bytes()[:-9])
    return "is damaged: its digest is not the ledger's"


def of_another_configuration(run_dir):
    edit(run_dir / "ledger.jsonl", '"latent_dim":4', '"latent_dim":5')
    return "is of another configuration"


def other_images(run_dir):
    blobs = run_dir.parent / "blobs.npz"
    np.savez(blobs, x_train=np.random.default_rng(1).integers(0, 256, (99, 16, 16), np.uint8))
    append(run_dir, SearchResumed("0.1.0", {"dataset": str(blobs)}))
    return "have changed since the search: give the folder"


def no_images(run_dir):
    append(run_dir, SearchResumed("0.1.0", {"dataset": "/nowhere/blobs.npz"}))
    return "no file /nowhere/blobs.npz: give the folder"


def damaged_file(run_dir):
    (run_dir / "evaluation").mkdir()
    (run_dir / "evaluation" / "mlp-wide-epoch-00002.json").write_text('{"format": 1')
    return "mlp-wide-epoch-00002.json is damaged"


@pytest.mark.parametrize(
    ("spoil", "status"),
    [(damaged, 1), (of_another_configuration, 1), (other_images, 2), (no_images, 2),
     (damaged_file, 2)],
)  # fmt: skip
def test_what_was_spoiled_is_said_in_two_lines_at_most(say, run_dir, spoil, status):
    said = spoil(run_dir)
    found, out, err = say(run_dir)
    assert (found, out) == (status, "")
    assert said in err
    assert len(err.strip().splitlines()) <= 2


def test_images_that_moved_are_found_with_data_dir(say, run_dir, searched):
    no_images(run_dir)
    (run_dir.parent / "here").mkdir()
    shutil.copy(searched.parent / "blobs.npz", run_dir.parent / "here")
    assert say(run_dir, "--data-dir", "here")[0] == 0


def test_a_run_directory_that_cannot_be_written_is_said_after_the_table(say, run_dir, monkeypatch):
    def full(path, content):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(evaluations, "write_atomically", full)
    status, out, err = say(run_dir, "--metrics", "bpd")
    assert status == 1
    assert "bits/dim" in out
    assert "Kept" not in out
    assert "the figures could not be kept: cannot write" in err
    assert len(err.splitlines()) == 1


def test_an_interruption_says_what_is_kept(say, run_dir):
    status, out, err = say(run_dir, "--metrics", "bpd,own_metrics:Stop,elbo")
    assert (status, out) == (130, "")
    assert err == (
        f"Stopped. Kept in '{run_dir}/evaluation': mlp-wide bpd; "
        "the same command goes on from there.\n"
    )
    assert say(run_dir, "--metrics", "own_metrics:Stop")[2].startswith("Stopped before the first")
    assert "cached" in say(run_dir, "--metrics", "bpd")[1]


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_process_that_is_stopped_keeps_what_it_finished(run_dir, searched, stop, status):
    (run_dir.parent / "waiting.py").write_text(
        "from dataclasses import dataclass\nimport time\n@dataclass(frozen=True)\nclass Wait:\n"
        "    def check(self, subject): pass\n"
        "    def measure(self, subject, progress): time.sleep(60)\n"
    )
    words = tiny.command("evaluate", run_dir, "--metrics", "bpd,waiting:Wait", "--json")
    process = subprocess.Popen(
        words, env=tiny.environment(searched.parent / "cache"), stderr=subprocess.DEVNULL
    )
    kept = run_dir / "evaluation" / "mlp-wide-epoch-00002.json"
    deadline = time.monotonic() + 50
    while not kept.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(stop)
    assert process.wait(30) == status
    [record] = evaluations.read_records(kept)
    assert record.spec == "bpd"


@pytest.mark.slow
def test_another_process_finds_the_same_figures(say, run_dir, searched, tmp_path):
    copy = tmp_path / "other"
    shutil.copytree(searched, copy)
    other = tiny.run("evaluate", copy, "--json", cache=searched.parent / "cache")
    there = json.loads(other.stdout)["arms"][0]["measurements"]
    here = json.loads(say(run_dir, "--json")[1])["arms"][0]["measurements"]
    assert [m["figures"] for m in there] == [m["figures"] for m in here]


def test_bars_are_for_terminals_only():
    assert _bars(Console(file=io.StringIO())) is None
    screen = io.StringIO()
    with Watch(_bars(Console(file=screen, force_terminal=True, width=80))) as watch:
        for share in (0.0, 0.5, 1.0):
            watch("mlp", "elbo [x]", share)
    assert "mlp elbo [x]" in screen.getvalue()
    assert "100 %" in screen.getvalue()
    assert watch.done == ["mlp elbo [x]"]


def test_help_names_every_option_and_the_list_has_metrics(capsys):
    out = CliRunner().invoke(app, ["evaluate", "--help"]).output
    for option in ("--arm", "--epoch", "--metrics", "--split", "--images", "--seed", "--extractor",
                   "--chunk", "--device", "--data-dir", "--again", "--json"):  # fmt: skip
        assert option in out
    assert "bits/dim with pixels" in CliRunner().invoke(app, ["list", "metrics"]).output
