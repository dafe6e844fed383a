import pytest

from vaesearch.errors import StorageError
from vaesearch.storage import folder_of, probe


def test_who_finds_the_token_is_listed(tmp_path):
    folder = folder_of(tmp_path)
    token = probe.leave(folder)
    probe.find(folder_of(tmp_path), token)
    (answer,) = probe.answers(folder, token)
    assert answer.startswith(probe.machine())
    probe.clear(folder, token)
    assert folder.names() == []


def test_a_folder_of_the_same_name_elsewhere_has_no_token(tmp_path):
    token = probe.leave(folder_of(tmp_path / "here"))
    pauses = []
    with pytest.raises(StorageError, match="storage that all nodes share"):
        probe.find(folder_of(tmp_path / "there"), token, pause=pauses.append)
    assert len(pauses) == probe.ATTEMPTS - 1


def test_a_token_that_comes_late_is_found(tmp_path):
    here, there = folder_of(tmp_path / "here"), folder_of(tmp_path / "there")
    token = probe.leave(here)
    probe.find(there, token, pause=lambda s: there.write(f"{probe.FOLDER}/{token}", b""))


def test_a_folder_that_cannot_be_written_is_said_with_its_machine(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StorageError, match=f"{probe.machine()} cannot write .*runs"):
        probe.leave(folder_of(tmp_path / "runs"))
