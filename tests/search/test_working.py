import errno

import pytest

from vaesearch.errors import StorageError
from vaesearch.search.home import Home
from vaesearch.search.segments import identity
from vaesearch.search.working import Working
from vaesearch.storage import folder_of


@pytest.fixture
def home(tmp_path):
    return Home(folder_of(tmp_path / "there"), tmp_path / "here")


def full(known):
    raise OSError(errno.ENOSPC, "No space left on device", "/here/.home.json")


def test_a_disk_that_fills_up_keeps_nobody_from_ending(home, monkeypatch, caplog):
    working = Working(home)
    monkeypatch.setattr(home, "remember", full)
    working.end()
    assert "cannot write /here/.home.json: No space left on device" in caplog.text
    monkeypatch.undo()
    Working(home).end()


def test_a_disk_that_is_full_is_said_and_nothing_stays_taken(home, monkeypatch):
    fetch = home.fetch

    def fetch_and_fill(**options):
        done = fetch(**options)
        monkeypatch.setattr(home, "remember", full)
        return done

    monkeypatch.setattr(home, "fetch", fetch_and_fill)
    with pytest.raises(StorageError, match=r"cannot write /here/\.home\.json: No space left"):
        Working(home)
    monkeypatch.undo()
    Working(home).end()


def test_the_run_is_known_by_the_part_that_began_it(home):
    Working(home).end()
    first = home.known().first
    assert first
    Working(home).end()
    assert home.known().first == first == identity(home.folder)


def test_traces_are_removed_once_no_beat_can_bring_them_back(home):
    working = Working(home)
    assert working.discard()
    assert home.folder.names() == []
    other = Working(home)
    home.folder.write("config.yaml", b"")
    assert not other.discard()
    other.end()
    assert "config.yaml" in home.folder.names()
