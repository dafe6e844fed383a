import pytest

from vaesearch.errors import LedgerError, StorageError
from vaesearch.events import (
    EVENTS,
    ArmCut,
    DecisionMade,
    WorkerLost,
    event_from_dict,
    event_to_dict,
)
from vaesearch.search.ledger import Ledger, read_ledger

DECISION = DecisionMade("a", 1, "because", [], {"a": -1.5})


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path, clock=lambda: 12.5)
    for event in (DECISION, ArmCut("b", "far behind"), WorkerLost("w", "killed")):
        ledger.append(event)
    ledger.close()
    return path


def test_what_is_written_is_read_back(path):
    events = read_ledger(path)
    assert [e.kind for e in events] == ["decision", "arm_cut", "worker_lost"]
    assert [e.seq for e in events] == [0, 1, 2]
    assert events[0].values == {"a": -1.5}
    assert events[0].time == 12.5


def test_every_kind_of_event_survives_the_file(tmp_path):
    for kind, cls in EVENTS.items():
        assert cls.kind == kind
    assert event_from_dict(event_to_dict(DECISION)) == DECISION


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_torn_tail_is_dropped_and_written_over(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    ledger = Ledger(path)
    survivors = len(ledger.events)
    assert survivors == whole[:-cut].count(b"\n")
    ledger.append(ArmCut("c", "again"))
    ledger.close()
    assert [e.seq for e in read_ledger(path)] == list(range(survivors + 1))


@pytest.mark.parametrize(
    "damage",
    [b"garbage\n", b'{"seq":1,"time":0,"event":"nonsense"}\n', b'{"seq":1}\n', b"\n",
     b'{"seq":7,"time":0,"event":"arm_cut","arm":"b","reason":""}\n'],
)  # fmt: skip
def test_a_damaged_middle_is_named_by_its_line(path, damage):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + lines[2])
    for reader in (read_ledger, Ledger):
        with pytest.raises(LedgerError, match="line 2 is damaged"):
            reader(path)


def test_a_damaged_middle_is_left_as_it_is(path):
    path.write_bytes(b"garbage\n" + path.read_bytes())
    before = path.read_bytes()
    with pytest.raises(LedgerError):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_missing_ledger_is_not_a_run_directory(tmp_path):
    with pytest.raises(LedgerError, match="is not a run directory"):
        read_ledger(tmp_path / "ledger.jsonl")


def test_a_full_disk_loses_nothing_that_was_written(path, monkeypatch):
    ledger = Ledger(path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        ledger.append(ArmCut("c", "later"))
    monkeypatch.undo()
    ledger.close()
    assert [e.kind for e in read_ledger(path)][:3] == ["decision", "arm_cut", "worker_lost"]
