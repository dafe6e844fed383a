import threading
import time

import pytest
from object_store import Faulty, away, full

from vaesearch.errors import StorageError
from vaesearch.events import ArmCut
from vaesearch.search.ledger import Ledger
from vaesearch.search.mirror import LedgerMirror, Limits
from vaesearch.search.segments import OvertakenError, SegmentWriter, read_after
from vaesearch.storage import folder_of

QUICK = Limits(gather=0.0)


@pytest.fixture
def folder(tmp_path):
    return Faulty(folder_of(tmp_path / "home"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def open_mirror(folder, path):
    made = []

    def make(limits=QUICK, sent=0, number=0, **options):
        writer = SegmentWriter(folder, "me", number)
        mirror = LedgerMirror(path, writer, sent, "s3://b/run", limits=limits, **options)
        ledger = Ledger(path, follower=mirror)
        made.extend([mirror, ledger])
        return mirror, ledger

    yield make
    folder.gate.set()
    for each in made:
        each.close()


def test_what_is_appended_arrives(open_mirror, folder, path):
    mirror, ledger = open_mirror()
    for number in range(20):
        ledger.append(ArmCut(f"arm {number}", ""))
    mirror.flush()
    assert read_after(folder, 0)[0] == path.read_bytes()


def test_lines_of_one_decision_arrive_together(open_mirror, folder):
    mirror, ledger = open_mirror()
    ledger.append(ArmCut("a", ""), sync=False)
    ledger.append(ArmCut("b", ""), sync=False)
    mirror.flush()
    assert read_after(folder, 0) == (b"", 0)
    ledger.append(ArmCut("c", ""))
    mirror.flush()
    content, parts = read_after(folder, 0)
    assert (content.count(b"\n"), parts) == (3, 1)


def test_lines_gather_while_one_part_is_sent(open_mirror, folder):
    mirror, ledger = open_mirror()
    folder.gate.clear()
    for number in range(50):
        ledger.append(ArmCut(f"arm {number}", ""))
    folder.gate.set()
    mirror.flush()
    content, parts = read_after(folder, 0)
    assert content.count(b"\n") == 50
    assert parts <= 2


def test_what_a_process_could_not_send_is_sent_by_the_next(open_mirror, folder, path):
    ledger = Ledger(path)
    ledger.append(ArmCut("a", ""))
    sent = path.stat().st_size
    ledger.append(ArmCut("b", ""))
    ledger.close()
    SegmentWriter(folder, "before", 0).append(path.read_bytes()[:sent])
    mirror, _ = open_mirror(sent=sent, number=1)
    mirror.flush()
    assert read_after(folder, 0) == (path.read_bytes(), 2)


def test_the_search_waits_when_it_is_too_far_ahead(open_mirror, folder):
    mirror, ledger = open_mirror(Limits(writes=4, gather=0.0, note_after=0.0))
    notes, done = [], threading.Event()
    mirror.note = notes.append
    folder.gate.clear()

    def run_ahead():
        for number in range(10):
            ledger.append(ArmCut(f"arm {number}", ""))
        done.set()

    thread = threading.Thread(target=run_ahead)
    thread.start()
    while not notes:
        assert not done.wait(0.01)
    assert len(ledger.events) == 5  # one more than it may be ahead is written when it waits
    folder.gate.set()
    thread.join()
    mirror.flush()
    assert notes == ["s3://b/run is slow: the search waits for it."]
    assert read_after(folder, 0)[0].count(b"\n") == 10


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (full(), "cannot write the ledger at s3://b/run: No space left on device"),
        (PermissionError(13, "access denied"), "cannot write the ledger at .*: access denied"),
        (away(), "did not take the ledger for too long: No route to host"),
        (ValueError("no JSON"), "s3://b/run: ValueError: no JSON"),
        (RuntimeError("Session is closed"), "s3://b/run: RuntimeError: Session is closed"),
    ],
)
def test_a_storage_that_fails_stops_the_search(open_mirror, folder, path, fault, said):
    mirror, ledger = open_mirror()
    ledger.append(ArmCut("a", ""))
    mirror.flush()
    folder.fault = fault
    ledger.append(ArmCut("b", ""))
    with pytest.raises(StorageError, match=said):
        mirror.flush()
    with pytest.raises(StorageError):
        ledger.append(ArmCut("more", ""))
    assert read_after(folder, 0)[0] == path.read_bytes().splitlines(keepends=True)[0]


def test_a_driver_that_was_replaced_stops(open_mirror, folder):
    mirror, ledger = open_mirror()
    ledger.append(ArmCut("a", ""))
    mirror.flush()
    SegmentWriter(folder, "other", 1).claim()
    ledger.append(ArmCut("b", ""))
    with pytest.raises(OvertakenError, match="in use by another process"):
        mirror.flush()


def test_nothing_is_deleted_before_the_lines_are_there(open_mirror, folder):
    mirror, ledger = open_mirror()
    folder.gate.clear()
    ledger.append(ArmCut("a", ""))
    seen = []
    mirror.when_sent(lambda: seen.append(read_after(folder, 0)[0].count(b"\n")))
    ledger.append(ArmCut("b", ""))
    assert seen == []
    folder.gate.set()
    mirror.flush()
    assert len(seen) == 1
    assert seen[0] >= 1


def test_what_cannot_be_deleted_stops_nothing(open_mirror, folder, caplog):
    mirror, ledger = open_mirror()

    def fail():
        raise StorageError("cannot delete x: access denied.")

    mirror.when_sent(fail)
    ledger.append(ArmCut("a", ""))
    mirror.flush()
    assert read_after(folder, 0)[1] == 1
    assert "cannot delete x" in caplog.text


def test_an_act_that_fails_in_another_way_is_said(open_mirror):
    mirror, ledger = open_mirror()

    def fail():
        raise RuntimeError("Session is closed")

    ledger.append(ArmCut("a", ""))
    mirror.when_sent(fail)
    with pytest.raises(StorageError, match="s3://b/run: RuntimeError: Session is closed"):
        mirror.flush(timeout=30)


def test_a_ledger_that_became_shorter_is_said(open_mirror, folder, path):
    mirror, ledger = open_mirror()
    folder.gate.clear()
    ledger.append(ArmCut("a", ""))
    while not folder.calls:
        time.sleep(0.001)
    ledger.append(ArmCut("b", ""))
    path.write_bytes(path.read_bytes()[:-1])
    folder.gate.set()
    with pytest.raises(StorageError, match="was made shorter by another program"):
        mirror.flush(timeout=30)
    assert read_after(folder, 0)[1] == 1


def test_waiting_for_the_last_lines_ends(open_mirror, folder):
    mirror, ledger = open_mirror()
    folder.gate.clear()
    ledger.append(ArmCut("a", ""))
    with pytest.raises(StorageError, match="does not have the last lines yet"):
        mirror.flush(timeout=0.0)
