"""The disk is full, read-only, slow or gone: the search stops in words and goes on later."""

import errno
import shutil
import subprocess
import time
from contextlib import suppress

import pytest
import tiny
from disturbed import (
    LOCAL,
    after_pulls,
    assert_two_lines,
    assert_whole,
    config_of,
    events_of,
    start,
    wait_until,
)

from vaesearch import resume, run_bandit
from vaesearch.errors import StorageError
from vaesearch.storage.local import LocalFolder


class Disk:
    """A file system of its own in memory, a few MiB large."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        self._mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", path)

    def fill(self):
        """Write until there is no room."""
        with suppress(OSError), (self.path / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def make_room(self):
        (self.path / "filler").unlink()

    def make(self, how):
        """``ro`` or ``rw``, though files are open."""
        # A file that is open for writing keeps its own mount from that, but not the file system.
        self._mount("-o", f"remount,{how}", self.path)

    def lift(self):
        subprocess.run(["umount", "--lazy", self.path], check=True, capture_output=True)

    def _mount(self, *words):
        done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting is for root, where it is allowed: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk.path], check=False, capture_output=True)


def test_full_in_mid_search(disk, folder, undisturbed):
    run_dir = disk.path / "run"
    with pytest.raises(StorageError, match="No space left on device") as said:
        run_bandit(config_of(folder), run_dir, observers=[after_pulls(5, disk.fill)])
    assert "\n" not in str(said.value)
    disk.make_room()
    resume(run_dir)
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)


def test_full_from_the_start_leaves_no_half_ledger(disk, folder, undisturbed):
    run_dir = disk.path / "run"
    disk.fill()
    with pytest.raises(StorageError, match="No space left on device"):
        run_bandit(config_of(folder), run_dir)
    disk.make_room()
    again = resume if events_of(run_dir) else lambda path: run_bandit(config_of(folder), path)
    again(run_dir)
    assert tiny.comparable(run_dir) == undisturbed


def test_read_only_in_mid_search(disk, folder, undisturbed, tmp_path):
    run_dir = disk.path / "run"
    # The ledger stays open for writing, which keeps a disk from being made read-only; a bind
    # mount over the checkpoints does not know of it.
    checkpoints = run_dir / "checkpoints"

    def protect():
        bind(checkpoints, checkpoints)
        disk_of(checkpoints, "remount,ro,bind")

    try:
        with pytest.raises(StorageError, match="Read-only file system"):
            run_bandit(config_of(folder), run_dir, observers=[after_pulls(5, protect)])
    finally:
        subprocess.run(["umount", "--lazy", checkpoints], check=False, capture_output=True)
    resume(run_dir)
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)


def bind(what, where):
    subprocess.run(["mount", "--bind", what, where], check=True, capture_output=True)


def disk_of(path, options):
    subprocess.run(["mount", "-o", options, path], check=True, capture_output=True)


def test_slow_storage_costs_time_and_nothing_else(folder, undisturbed, tmp_path, monkeypatch):
    write = LocalFolder.write

    def slowly(self, name, content):
        time.sleep(0.03)
        write(self, name, content)

    monkeypatch.setattr(LocalFolder, "write", slowly)
    run_bandit(config_of(folder), tmp_path / "run")
    assert tiny.comparable(tmp_path / "run") == undisturbed


def test_gone_in_mid_search(folder, undisturbed, tmp_path):
    run_dir, away = tmp_path / "run", tmp_path / "away"

    def unplug():
        shutil.move(run_dir, away)
        run_dir.write_text("")  # else folders would be made anew

    with pytest.raises(StorageError) as said:
        run_bandit(config_of(folder), run_dir, observers=[after_pulls(5, unplug)])
    assert str(run_dir) in str(said.value)
    run_dir.unlink()
    shutil.move(away, run_dir)
    resume(run_dir)
    assert tiny.comparable(run_dir) == undisturbed
    assert_whole(run_dir)


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EDQUOT])
def test_other_refusals_of_a_network_disk(number, folder, undisturbed, tmp_path, monkeypatch):
    write, calls = LocalFolder.write, []

    def refuse(self, name, content):
        calls.append(name)
        if len(calls) == 6:
            raise OSError(number, "refused")
        write(self, name, content)

    monkeypatch.setattr(LocalFolder, "write", refuse)
    with pytest.raises(StorageError, match="refused"):
        run_bandit(config_of(folder), tmp_path / "run")
    resume(tmp_path / "run")
    assert tiny.comparable(tmp_path / "run") == undisturbed


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("backend", [LOCAL, ("--workers", "2", "--tracking-uri", "none")])
def test_the_command_says_how_to_go_on(backend, disk, begin, folder, undisturbed):
    run_dir = disk.path / "run"
    process = start(*begin(run_dir, *backend), cache=folder)
    assert wait_until(lambda: len(events_of(run_dir)) > 15, process)
    disk.fill()
    _, said = process.communicate(timeout=100)
    assert process.returncode == 1
    message = assert_two_lines(said)
    assert "No space left on device" in message
    assert f"vaesearch resume {run_dir}" in message
    disk.make_room()
    done = tiny.run("resume", run_dir, cache=folder)
    assert done.returncode == 0, done.stderr
    assert_whole(run_dir)
