import pytest
from replays import write_run

from vaesearch.bandits.core import Budget
from vaesearch.errors import LedgerError, RecordingError
from vaesearch.events import ArmAdded, PullFailed, PullFinished, PullStarted
from vaesearch.recordings import Curve, Manifest, Recording, recording_to_bytes
from vaesearch.search.ledger import Ledger
from vaesearch.search.sources import _workers, read_source


def test_a_run_is_its_own_source(tmp_path):
    run = tmp_path / "run"
    events = write_run(run, epochs=12, policy="ucb", seed=4, max_epochs_per_arm=9)
    source = read_source(run)
    assert source.budget == Budget(epochs=12, cap=9)
    assert (source.seed, source.why, source.remarks) == (4, "as in the run", ())
    name, trace = source.run
    assert name == "ucb (the run)"
    assert [(s.arm, s.epoch) for s in trace.steps] == [
        (e.arm, r["epoch"]) for e in events if isinstance(e, PullFinished) for r in e.reports
    ]
    lengths = {name: len(c.valid) for name, c in source.recording.of_seed(4).items()}
    assert sum(lengths.values()) == 12
    assert f"--policy uniform --epochs {3 * max(lengths.values())}" in source.complete_by
    assert f"--config {run}/config.yaml" in source.complete_by


def test_a_budget_in_seconds_is_replaced_in_the_complete_run(tmp_path):
    write_run(tmp_path / "run", seconds=9.0)
    source = read_source(tmp_path / "run")
    assert source.budget == Budget(seconds=9.0)
    # Three arms, three epochs of a second each, and twice that to be on the safe side.
    assert source.complete_by.endswith("--epochs 9 --run-dir NEW --seconds 18")


def test_what_a_replay_lacks_or_has_in_addition_is_remarked(tmp_path):
    write_run(tmp_path / "run", epochs=3, finished=False)
    ledger = Ledger(tmp_path / "run" / "ledger.jsonl")
    ledger.append(ArmAdded("new", {"decoder": "mlp"}, 1))
    ledger.close()
    late, untrained = read_source(tmp_path / "run").remarks
    assert late == "Joined during the run, but there from the start in replays: new."
    assert untrained == "Never trained in the run, so not in replays either: new."


def test_workers_are_the_most_pulls_side_by_side():
    events = [
        PullStarted(0, "a", 0, 1, "w1"),
        PullStarted(1, "b", 0, 1, "w2"),
        PullFailed(1, "b", "lost"),
        PullStarted(1, "b", 0, 1, "w3", 2),
        PullFinished(0, "a", [], {}, "w1"),
        PullStarted(2, "c", 0, 1, "w1"),
    ]
    assert _workers(events) == 2
    assert _workers([]) == 1


@pytest.mark.parametrize(("longest", "epochs", "why"), [(30, 40, "20 per arm"), (7, 14, "all")])
def test_a_file_gets_what_bandit_would_spend(tmp_path, longest, epochs, why):
    curves = tuple(
        Curve(arm, 0, (4.0,) * longest, (1.0,) * longest, (None,) * longest) for arm in "ab"
    )
    path = tmp_path / "curves.json.gz"
    path.write_bytes(recording_to_bytes(Recording(Manifest("d", "bpd", "min"), curves)))
    source = read_source(path)
    assert source.budget == Budget(epochs=epochs)
    assert source.why.startswith(why)
    assert (source.run, source.seed) == (None, 0)


def test_the_budget_of_a_file_is_no_more_than_was_recorded(tmp_path):
    run = tmp_path / "run"
    write_run(run, epochs=30, policy="thompson")
    path = tmp_path / "curves.json.gz"
    path.write_bytes(recording_to_bytes(read_source(run).recording))
    source = read_source(path)
    assert (source.budget.epochs, source.why) == (30, "all recorded")


def test_pulls_cost_what_they_did_in_the_run(tmp_path):
    write_run(tmp_path / "run", epochs=12, chunk=2)
    source = read_source(tmp_path / "run")
    assert source.chunk == 2
    assert source.overhead == {"fast": 0.0, "late": 0.0, "slow": 0.0}
    ledger = tmp_path / "run" / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    lines = [
        line.replace('"overhead":0.0', '"overhead":0.25') if '"late"' in line else line
        for line in lines
    ]
    ledger.write_text("\n".join(lines) + "\n")
    assert read_source(tmp_path / "run").overhead["late"] == 0.25


def test_what_is_no_source(tmp_path):
    with pytest.raises(RecordingError, match="there is no"):
        read_source(tmp_path / "missing")
    with pytest.raises(LedgerError, match="is not a run directory"):
        read_source(tmp_path)
