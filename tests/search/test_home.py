import pytest
from object_store import Faulty, full

from vaesearch.errors import LedgerError, StorageError
from vaesearch.search.home import Home
from vaesearch.search.segments import SegmentWriter
from vaesearch.storage import folder_of


@pytest.fixture
def there(tmp_path):
    return folder_of(tmp_path / "there")


@pytest.fixture
def at(there, tmp_path):
    """The home as a machine sees it."""
    return lambda machine: Home(there, tmp_path / machine / "run")


def write(home, name, text):
    path = home.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_what_one_machine_puts_another_fetches(at, there):
    one, two = at("one"), at("two")
    write(one, "results.json", "{}")
    write(one, "arms/mlp/model.pt", "weights")
    for passing in (".lock", "x.tmp", "study.db-wal"):
        write(one, passing, "")
    one.put()
    assert there.names() == ["arms/mlp/model.pt", "results.json"]
    two.fetch()
    assert (two.path / "arms/mlp/model.pt").read_text() == "weights"


@pytest.mark.parametrize("light", [True, False])
def test_nothing_is_written_outside_the_copy(at, there, tmp_path, light):
    outside = tmp_path / "outside"
    names = [f"{outside}/x", str(outside), "../../outside", "plots/", "a//b", "a/../../b", "//c"]

    class Strange:
        address, names = there.address, there.names

        def read(self, name):
            return there.read(name) if name.startswith("ledger/") else b"x"

        def stamps(self):
            return dict.fromkeys([*names, "results.json"], "1")

    one = at("one")
    one.folder = Strange()
    one.fetch(light=light)
    assert [p.name for p in one.path.iterdir() if p.name[0] != "."] == ["results.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["one"]
    assert [p.name for p in one.path.parent.iterdir()] == ["run"]


def test_only_what_changed_travels(at, there):
    one, two = at("one"), at("two")
    write(one, "a", "1")
    write(one, "b", "1")
    one.put()
    two.fetch()
    write(two, "b", "22")
    two.folder = one.folder = Faulty(there)
    two.put()
    one.fetch()
    assert one.folder.calls == [("write", "b")]
    assert (one.path / "b").read_text() == "22"
    one.put()
    assert len(one.folder.calls) == 1


def test_a_light_look_leaves_folders_where_they_are(at, there):
    one, two = at("one"), at("two")
    write(one, "tracking.json", "{}")
    write(one, "arms/mlp/model.pt", "weights")
    write(one, "study.db", "rows")
    one.put()
    two.fetch(light=True)
    assert sorted(p.name for p in two.path.iterdir() if p.name[0] != ".") == [
        "tracking.json"
    ]  # fmt: skip
    two.put(delete=True)
    assert len(there.names()) == 3
    two.fetch()
    assert (two.path / "arms/mlp/model.pt").exists()


def test_what_is_gone_is_deleted_by_who_works_on_the_run_alone(at, there):
    one, two = at("one"), at("two")
    write(one, "front/a.yaml", "")
    write(one, "front/b.yaml", "")
    one.put()
    two.fetch()
    (one.path / "front/a.yaml").unlink()
    one.put()
    assert len(there.names()) == 2
    one.put(delete=True)
    assert there.names() == ["front/b.yaml"]
    two.fetch()
    assert sorted(p.name for p in (two.path / "front").iterdir()) == ["b.yaml"]


def test_what_was_not_put_yet_survives_a_fetch(at):
    one = at("one")
    write(one, "a", "1")
    one.put()
    write(one, "evaluation/new.json", "{}")
    one.fetch()
    assert (one.path / "evaluation/new.json").exists()


def test_the_ledger_is_put_together(at, there):
    one, writer = at("one"), SegmentWriter(there, "me", 0)
    one.fetch()
    writer.append(b"1\n")
    writer.append(b"2\n")
    one.fetch()
    assert (one.path / "ledger.jsonl").read_bytes() == b"1\n2\n"
    writer.append(b"3\n")
    one.fetch()
    assert (one.path / "ledger.jsonl").read_bytes() == b"1\n2\n3\n"


def test_a_copy_that_is_ahead_is_kept_and_one_that_went_astray_is_not(at, there):
    one, writer = at("one"), SegmentWriter(there, "me", 0)
    writer.append(b"1\n")
    one.fetch()
    ledger = one.path / "ledger.jsonl"
    ledger.write_bytes(b"1\n2\n3")
    one.fetch()
    assert ledger.read_bytes() == b"1\n2\n3"
    SegmentWriter(there, "other", 1).append(b"other\n")
    one.fetch()
    assert ledger.read_bytes() == b"1\nother\n"


def delete(folder):
    for name in folder.names():
        folder.remove(name)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_run_in_the_place_of_a_deleted_one_is_another(at, there, parts):
    one, before = at("one"), SegmentWriter(there, "before", 0)
    before.append(b"1\n")
    before.append(b"2\n")
    there.write("plots/a.png", b"old")
    one.fetch()
    write(one, "evaluation/a.json", "never put")
    delete(there)
    after = SegmentWriter(there, "after", 0)
    for _ in range(parts):
        after.append(b"3\n")
    there.write("results.json", b"new")
    for _ in range(2):
        one.fetch()
        assert (one.path / "ledger.jsonl").read_bytes() == b"3\n" * parts
    assert sorted(p.name for p in one.path.iterdir() if p.name[0] != ".") == [
        "ledger.jsonl", "results.json",
    ]  # fmt: skip
    [aside] = one.path.glob(".before-*")
    assert (aside / "ledger.jsonl").read_bytes() == b"1\n2\n"
    assert (aside / "evaluation/a.json").read_text() == "never put"


def test_a_run_that_was_deleted_is_gone(at, there):
    one = at("one")
    SegmentWriter(there, "before", 0).append(b"1\n")
    one.fetch()
    delete(there)
    one.fetch()
    assert not (one.path / "ledger.jsonl").exists()
    SegmentWriter(there, "after", 0).append(b"2\n")
    one.fetch()
    assert (one.path / "ledger.jsonl").read_bytes() == b"2\n"


def test_a_ledger_whose_start_is_gone_is_damaged_and_the_copy_kept(at, there):
    one, writer = at("one"), SegmentWriter(there, "me", 0)
    writer.append(b"1\n")
    writer.append(b"2\n")
    one.fetch()
    there.remove("ledger/00000001.jsonl")
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"00000001\.jsonl is missing"):
            one.fetch()
    assert (one.path / "ledger.jsonl").read_bytes() == b"1\n2\n"


@pytest.mark.parametrize("damage", ["garbage", "{}", '{"nonsense": 1}', None])
def test_a_damaged_memory_costs_time_only(at, there, damage):
    one = at("one")
    SegmentWriter(there, "me", 0).append(b"1\n")
    write(one, "a", "1")
    one.put()
    one.fetch()
    memory = one.path / ".home.json"
    memory.unlink() if damage is None else memory.write_text(damage)
    one.fetch()
    assert (one.path / "a").read_text() == "1"
    assert (one.path / "ledger.jsonl").read_bytes() == b"1\n"


def test_a_copy_that_was_cut_short_is_made_whole(at, there):
    one = at("one")
    SegmentWriter(there, "me", 0).append(b"1\n2\n")
    one.fetch()
    (one.path / "ledger.jsonl").write_bytes(b"1\n")
    one.fetch()
    assert (one.path / "ledger.jsonl").read_bytes() == b"1\n2\n"


def test_a_full_storage_is_said(at, there):
    one = at("one")
    write(one, "a", "1")
    one.folder = Faulty(there)
    one.folder.fault = full()
    with pytest.raises(StorageError, match=r"cannot write .*: No space left on device"):
        one.put()


def test_traces_of_a_look_are_removed_and_nothing_else(at, there):
    one = at("one")
    there.write("lease/000001.json", b"{}")
    SegmentWriter(there, "me", 0).append(b"")
    one.discard()
    assert there.names() == []
    there.write("lease/000001.json", b"{}")
    there.write("config.yaml", b"")
    one.discard()
    assert len(there.names()) == 2
