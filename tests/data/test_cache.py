import json

import numpy as np
import pytest

from vaesearch.data import cache
from vaesearch.data.cache import load_or_build
from vaesearch.data.core import Splits


class Builder:
    """Makes the same arrays whenever it is called, and counts."""

    def __init__(self, rng):
        parts = [rng.integers(0, 256, (n, 1, 4, 4), dtype=np.uint8) for n in (30, 5, 6)]
        self.splits = Splits(*parts, fingerprint="abc")
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.splits


@pytest.fixture
def builder(rng):
    return Builder(rng)


def same(left, right):
    return left.fingerprint == right.fingerprint and all(
        np.array_equal(getattr(left, part), getattr(right, part)) for part in cache.PARTS
    )


def only_entry(folder):
    (entry,) = folder.iterdir()
    return entry


def test_the_second_start_builds_nothing(builder, tmp_path):
    for _ in range(3):
        assert same(load_or_build("a", builder, cache_dir=tmp_path), builder.splits)
    assert builder.calls == 1


def test_entries_are_mapped_and_read_only(builder, tmp_path):
    splits = load_or_build("a", builder, cache_dir=tmp_path)
    assert type(splits.train) is np.ndarray
    assert isinstance(splits.train.base, np.memmap)
    assert not splits.train.flags.writeable


def test_another_identity_or_format_is_another_entry(builder, tmp_path, monkeypatch):
    for identity in ("a", "b", "c\udcff"):
        load_or_build(identity, builder, cache_dir=tmp_path)
    monkeypatch.setattr(cache, "FORMAT", -1)
    load_or_build("a", builder, cache_dir=tmp_path)
    assert builder.calls == len(list(tmp_path.iterdir())) == 4


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def swap_counts(path):
    path.write_text(json.dumps({"fingerprint": "abc", "counts": dict.fromkeys(cache.PARTS, 1)}))


def save_floats(path):
    np.save(path, np.zeros((30, 1, 4, 4)))


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("train.npy", truncate),
        ("valid.npy", lambda path: path.unlink()),
        ("test.npy", lambda path: path.write_bytes(b"")),
        ("train.npy", save_floats),
        ("meta.json", truncate),
        ("meta.json", swap_counts),
        ("meta.json", lambda path: path.write_text("[]")),
        ("meta.json", lambda path: path.write_bytes(b"\xff\x00")),
    ],
)
def test_a_damaged_entry_is_rebuilt_in_silence(builder, tmp_path, caplog, file, damage):
    load_or_build("a", builder, cache_dir=tmp_path)
    damage(only_entry(tmp_path) / file)
    for _ in range(2):
        assert same(load_or_build("a", builder, cache_dir=tmp_path), builder.splits)
    assert builder.calls == 2
    assert not caplog.records


def test_a_kill_while_writing_leaves_no_entry(builder, tmp_path, monkeypatch):
    def kill(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache.json, "dumps", kill)
    with pytest.raises(KeyboardInterrupt):
        load_or_build("a", builder, cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_hard_kill_leaves_is_ignored(builder, tmp_path):
    (tmp_path / ".building-1").mkdir()
    (tmp_path / ".building-1" / "train.npy").write_bytes(b"half")
    load_or_build("a", builder, cache_dir=tmp_path)
    load_or_build("a", builder, cache_dir=tmp_path)
    assert builder.calls == 1


def test_two_processes_may_build_the_same_entry(builder, tmp_path, caplog):
    def slower():
        load_or_build("a", builder, cache_dir=tmp_path)  # the other process, meanwhile
        return builder()

    assert same(load_or_build("a", slower, cache_dir=tmp_path), builder.splits)
    assert only_entry(tmp_path).name[0] != "."
    assert not caplog.records


def test_losing_the_race_at_the_last_moment_is_no_error(builder, tmp_path, caplog, monkeypatch):
    def other_renames_first(folder, _ignore_errors=True, **_kwargs):
        monkeypatch.undo()
        load_or_build("a", builder, cache_dir=tmp_path)

    monkeypatch.setattr(cache.shutil, "rmtree", other_renames_first)
    assert same(load_or_build("a", builder, cache_dir=tmp_path), builder.splits)
    assert not caplog.records
    assert only_entry(tmp_path).name[0] != "."


def test_an_unwritable_cache_only_warns(builder, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert same(load_or_build("a", builder, cache_dir=blocked), builder.splits)
    assert f"no cache in {blocked}" in caplog.text


def test_the_default_follows_the_environment(builder, tmp_path, monkeypatch):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "mine"))
    load_or_build("a", builder)
    assert only_entry(tmp_path / "mine").is_dir()
    monkeypatch.delenv("VAESEARCH_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.default_dir() == tmp_path / ".cache" / "vaesearch"
