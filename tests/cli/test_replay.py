"""``vaesearch replay`` as a user types it, with the obvious mistakes."""

import gzip
import json

import pytest
from replays import curve, write_run

from vaesearch.cli.app import app
from vaesearch.cli.terminal import _status
from vaesearch.recordings import Curve, Manifest, Recording, recording_to_bytes


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run ``vaesearch replay`` in this process and an empty directory: (status, out, err)."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = _status(app, ["replay", *map(str, words)], debug=False)
        return status, *capsys.readouterr()

    return run


def recording(seeds=(0,), epochs=8):
    """Bits/dim of three arms, equally long; "late" ends best."""
    ends = {"fast": (5.0, 1.0), "late": (4.0, 4.0), "slow": (6.0, 3.0)}
    return Recording(
        Manifest("blobs", "bpd", "min"),
        tuple(
            Curve(
                name, seed,
                tuple(-r.reward + 0.01 * seed for r in curve(-8, -end, pace, epochs)),
                (1.0,) * epochs, tuple(-r.reward + 0.1 for r in curve(-8, -end, pace, epochs)),
            )
            for seed in seeds for name, (end, pace) in ends.items()
        ),
    )  # fmt: skip


@pytest.fixture
def curves(tmp_path):
    path = tmp_path / "curves.json.gz"
    path.write_bytes(recording_to_bytes(recording()))
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.json.gz"], "there is no missing.json.gz"),
        (["curves.json.gz", "--policy", "ubc"], "did you mean 'ucb'"),
        (["curves.json.gz", "--policy", "ucb:level=7"], "level must be between 0 and 1"),
        (["curves.json.gz", "--epochs", "0"], "--epochs must be above 0"),
        (["curves.json.gz", "--epochs", "25"], "--epochs 25 is more than was recorded: 24"),
        (["curves.json.gz", "--seconds", "nan"], "--seconds must be above 0"),
        (["curves.json.gz", "--seconds", "25"], "--seconds 25 is more than was recorded: 24"),
        (["curves.json.gz", "--max-epochs-per-arm", "9"], "is more than was recorded: 8"),
        (["curves.json.gz", "--max-epochs-per-arm", "-1"], "--max-epochs-per-arm must be above"),
        (["curves.json.gz", "--workers", "0"], "--workers must be above 0"),
        (["curves.json.gz", "--repeats", "0"], "--repeats must be above 0"),
        (["curves.json.gz", "--repeats", "many"], "many"),
        ([], "CURVES_OR_RUN_DIR"),
        (["empty"], "empty is not a run directory"),
        (["begun"], "begun holds no search yet"),
        (["untrained"], "untrained has no epoch of any arm yet"),
        (["no.json.gz"], "is not gzipped JSON"),
        (["none.json.gz"], "has no epoch of any arm"),
        (["gap.json.gz"], "arm 'late', seed 0, valid: a gap at epoch 2"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_in_two_lines_at_most(say, curves, tmp_path, words, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "ledger.jsonl").write_text("")
    write_run(tmp_path / "untrained", epochs=3)
    ledger = tmp_path / "untrained" / "ledger.jsonl"
    ledger.write_text(ledger.read_text().partition("\n")[0] + "\n")
    (tmp_path / "no.json.gz").write_text("epoch 1: 4.0")
    none = Recording(Manifest("blobs", "bpd", "min"), ())
    (tmp_path / "none.json.gz").write_bytes(recording_to_bytes(none))
    gap = json.loads(gzip.decompress(curves.read_bytes()))
    gap["curves"][1]["valid"][1] = None
    (tmp_path / "gap.json.gz").write_bytes(gzip.compress(json.dumps(gap).encode()))
    status, out, err = say(*words)
    assert status == 2
    assert said in err
    assert out == ""
    assert len(err.strip().splitlines()) <= 2


def test_a_file_of_curves_is_compared_and_nothing_written(say, curves, tmp_path):
    status, out, err = say(curves, "--policy", "successive-halving", "--epochs", 18)
    assert (status, err) == (0, "")
    assert "blobs, 3 arms, 18 epochs (as asked), 1 worker, at most 8 epochs per arm" in out
    policies = [line.split()[0] for line in out.splitlines() if "late" in line]
    assert policies[:3] == ["successive-halving", "uniform", "oracle"]
    assert list(tmp_path.iterdir()) == [curves]
    assert "*" not in out


def test_the_default_budget_of_a_file_is_what_bandit_would_spend(say, tmp_path):
    path = tmp_path / "long.json.gz"
    path.write_bytes(recording_to_bytes(recording(epochs=30)))
    out = say(path, "--policy", "uniform")[1]
    assert "60 epochs (20 per arm, the default of `bandit`)" in out
    path.write_bytes(recording_to_bytes(recording(epochs=7)))
    out = say(path, "--policy", "uniform")[1]
    assert "21 epochs (all recorded)" in out


@pytest.mark.parametrize("chunk", [1, 4])
def test_a_run_directory_gets_a_picture_and_json(say, tmp_path, chunk):
    write_run(tmp_path / "run", epochs=60, policy="thompson", chunk=chunk)
    status, out, err = say("run", "--policy", "thompson", "--repeats", 1, "--json")
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert json.loads((tmp_path / "run" / "replay" / "replay.json").read_text()) == data
    assert (tmp_path / "run" / "replay" / "replay.png").read_bytes().startswith(b"\x89PNG")
    own, again, uniform, oracle = data["policies"]
    assert [p["policy"] for p in data["policies"]] == [
        "thompson (the run)", "thompson", "uniform", "oracle"
    ]  # fmt: skip
    # With the run's own seed a replay of its policy is the run.
    assert own["searches"][0]["best_so_far"] == again["searches"][0]["best_so_far"]
    assert own["searches"][0]["allocation"] == again["searches"][0]["allocation"]
    assert (own["replayed"], again["replayed"]) == (False, True)
    assert oracle["mean"]["regret"]["mean"] == 0
    assert uniform["searches"][0]["cut_short"]


def test_a_smaller_budget_holds_for_the_run_itself_too(say, tmp_path):
    write_run(tmp_path / "run", epochs=60)
    data = json.loads(say("run", "--policy", "uniform", "--epochs", 9, "--json")[1])
    own, again, _ = data["policies"]
    assert own["searches"][0]["allocation"] == {"fast": 3, "late": 3, "slow": 3}
    assert own["mean"]["epochs"] == again["mean"]["epochs"]


def test_curves_that_are_cut_short_are_named_with_the_remedy(say, tmp_path):
    write_run(tmp_path / "run", epochs=30, policy="thompson")
    out = " ".join(say("run", "--policy", "ucb")[1].split())
    assert "uniform*" in out
    assert "* stopped where curves end" in out
    assert "regrets are lower bounds" in out
    assert "A complete recording: vaesearch bandit --config" in out
    assert "--policy uniform --epochs" in out


def test_a_complete_run_has_no_such_caveat(say, tmp_path):
    write_run(tmp_path / "run", epochs=30)
    out = say("run", "--policy", "ucb")[1]
    assert "at most 10 epochs per arm" in out
    assert "*" not in out
    # Uniform allocation is what epochs saved are counted from, whoever did it.
    lines = [line.split() for line in out.splitlines() if line.startswith("uniform")]
    assert [line[-3] for line in lines] == ["-", "-"]


def test_an_unfinished_run_is_compared_by_what_it_has_spent(say, tmp_path):
    write_run(tmp_path / "run", epochs=30, finished=False)
    out = say("run", "--policy", "uniform")[1]
    assert "30 epochs (what the run has spent so far)" in out


def test_a_policy_of_ones_own_may_be_wrong(say, curves, tmp_path, monkeypatch):
    (tmp_path / "mine_replay.py").write_text(
        "from vaesearch.bandits.core import Decision\n"
        "class Mine:\n"
        "    def choose(self, history, rng):\n"
        "        return Decision('nobody', 'because')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    status, _, err = say(curves, "--policy", "mine_replay:Mine")
    assert status == 1
    assert "policy Mine, decision 0: chose arm 'nobody', which is unknown" in err
    assert len(err.strip().splitlines()) == 1


def test_out_is_where_files_go(say, curves, tmp_path):
    status, out, _ = say(curves, "--policy", "uniform", "--out", "there")
    assert (status, "Written: there/replay.png" in out) == (0, True)
    assert {p.name for p in (tmp_path / "there").iterdir()} == {"replay.png", "replay.json"}
    status, out, err = say(curves, "--policy", "uniform", "--out", curves)
    assert (status, "cannot write" in err) == (1, True)
    assert "Best recorded: late" in out  # what was worked out is shown all the same


def test_several_seeds_are_averaged(say, tmp_path):
    path = tmp_path / "seeds.json.gz"
    path.write_bytes(recording_to_bytes(recording(seeds=(0, 1, 2))))
    out = say(path, "--policy", "uniform", "--epochs", 12)[1]
    assert "mean of seeds 0, 1, 2" in out
    assert "standard error over recorded seeds" in " ".join(out.split())
    assert out.count("±") >= 3
