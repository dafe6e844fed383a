import pytest

from vaesearch.errors import LedgerError
from vaesearch.search import segments
from vaesearch.search.segments import OvertakenError, SegmentWriter, identity, read_after
from vaesearch.storage import folder_of


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path)


def test_parts_are_read_in_order(folder):
    writer = SegmentWriter(folder, "me", 0)
    for lines in (b"1\n2\n", b"", b"3\n"):
        writer.append(lines)
    assert read_after(folder, 0) == (b"1\n2\n3\n", 3)
    assert read_after(folder, 1) == (b"3\n", 3)
    assert read_after(folder, 3) == (b"", 3)


def test_no_parts_are_no_lines(folder):
    assert read_after(folder, 0) == (b"", 0)


def test_of_two_writers_the_second_stops(folder):
    first, second = SegmentWriter(folder, "first", 0), SegmentWriter(folder, "second", 0)
    first.append(b"1\n")
    with pytest.raises(OvertakenError, match="in use by another process"):
        second.append(b"1\n")
    assert read_after(folder, 0) == (b"1\n", 1)


def test_who_claims_the_ledger_stops_the_one_before(folder):
    before, after = SegmentWriter(folder, "before", 0), SegmentWriter(folder, "after", 0)
    before.append(b"1\n")
    before.append(b"2\n")
    assert after.claim() == b"1\n2\n"
    with pytest.raises(OvertakenError):
        before.append(b"3\n")
    after.append(b"4\n")
    assert read_after(folder, 0)[0] == b"1\n2\n4\n"


def test_a_part_whose_answer_was_lost_is_sent_again_without_harm(folder):
    writer = SegmentWriter(folder, "me", 0)
    writer.append(b"1\n")
    writer.number = 0
    writer.append(b"1\n")
    assert read_after(folder, 0) == (b"1\n", 1)


def test_many_parts_are_read_as_one(folder, monkeypatch):
    monkeypatch.setattr(segments, "PARTS_PER_WHOLE", 3)
    writer, content = SegmentWriter(folder, "me", 0), b""
    for number in range(8):
        line = f"{number}\n".encode()
        writer.append(line)
        content += line
        if writer.has_many_parts:
            writer.write_whole(content)
    read = []

    class Watched:
        address = "x"
        names = folder.names

        def read(self, name):
            read.append(name)
            return folder.read(name)

    assert read_after(Watched(), 0) == (content, 8)
    assert len(read) == 3
    assert read_after(folder, 4) == (content[8:], 8)


def test_a_last_part_that_is_gone_is_said(folder):
    writer = SegmentWriter(folder, "me", 0)
    writer.append(b"1\n")
    with pytest.raises(LedgerError, match=r"00000005\.jsonl is gone: the run was deleted"):
        read_after(folder, 5)


def test_a_run_is_told_from_another_at_its_place(folder):
    assert identity(folder) == ""
    writer = SegmentWriter(folder, "me", 0)
    writer.append(b"1\n")
    SegmentWriter(folder, "my successor", 1).append(b"2\n")
    assert identity(folder) == "me"
    folder.remove("ledger/00000001.jsonl")
    SegmentWriter(folder, "another", 0).append(b"1\n")
    assert identity(folder) == "another"


@pytest.mark.parametrize("content", [b"", b"{}\n1\n", b"[1]\n", b"\xff"])
def test_a_first_part_that_is_damaged_has_no_identity(folder, content):
    folder.write("ledger/00000001.jsonl", content)
    with pytest.raises(LedgerError, match="damaged"):
        identity(folder)


def test_a_part_that_is_missing_is_named(folder):
    writer = SegmentWriter(folder, "me", 0)
    for _ in range(3):
        writer.append(b"1\n")
    folder.remove("ledger/00000002.jsonl")
    with pytest.raises(LedgerError, match=r"00000002\.jsonl is missing"):
        read_after(folder, 0)


@pytest.mark.parametrize("content", [b"", b"{}\n1\n", b"garbage\n", b'{"by":"a","lines":2}\n1\n'])
def test_a_part_that_is_damaged_is_named(folder, content):
    folder.write("ledger/00000001.jsonl", content)
    with pytest.raises(LedgerError, match=r"00000001\.jsonl is damaged"):
        read_after(folder, 0)
