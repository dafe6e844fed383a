import pytest

from vaesearch.errors import LedgerError
from vaesearch.search.ledger import Ledger, read_ledger
from vaesearch.tracking.tail import LedgerTail


def test_no_file_yet_is_no_events(tmp_path):
    assert LedgerTail(tmp_path / "ledger.jsonl").read() == []


def test_each_event_comes_once(search):
    tail = LedgerTail(search.run_dir.ledger)
    search.start("mlp")
    first = tail.read()
    search.pull("mlp", -1.0)
    second = tail.read()
    assert [e.seq for e in first + second] == [0, 1, 2, 3, 4]
    assert tail.read() == []
    assert first + second == read_ledger(search.run_dir.ledger)


@pytest.mark.parametrize("kept", [1, 10, -1])
def test_a_torn_line_waits_until_it_is_whole(search, kept):
    search.start("mlp")
    whole = search.run_dir.ledger.read_bytes()
    lines = whole.splitlines(keepends=True)
    tail = LedgerTail(search.run_dir.ledger)
    search.run_dir.ledger.write_bytes(lines[0] + lines[1][:kept])
    assert [e.seq for e in tail.read()] == [0]
    assert tail.read() == []
    search.run_dir.ledger.write_bytes(whole)
    assert [e.seq for e in tail.read()] == [1]


def test_a_damaged_line_is_named_until_the_search_repairs_it(search):
    search.start("mlp")
    with search.run_dir.ledger.open("ab") as file:
        file.write(b'{"seq": 2, "ti\n')
    tail = LedgerTail(search.run_dir.ledger)
    assert [e.seq for e in tail.read()] == [0, 1]
    for _ in range(2):
        with pytest.raises(LedgerError, match="line 3 is damaged"):
            tail.read()
    search.ledger.close()
    search.ledger = Ledger(search.run_dir.ledger)
    search.pull("mlp", -1.0)
    assert [e.seq for e in tail.read()] == [2, 3, 4]
