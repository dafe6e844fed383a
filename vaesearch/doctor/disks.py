"""Room on disks, and the storage of runs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from vaesearch.data.cache import default_dir
from vaesearch.doctor.core import Finding, Question, fail, ok, warning
from vaesearch.errors import VaesearchError
from vaesearch.storage import folder_of, is_url, place_of, probe

ENOUGH, LEAST = 5e9, 5e8  # bytes
SHARED = Path("/dev/shm")
SHARED_ENOUGH = 1e9
FILES = 1000
PATIENCE = 10.0  # with a storage that does not answer
SLOW = 1.0  # seconds for a small file


def runs_of(question: Question) -> str:
    """The folder that runs are in: that of the one asked for, or the default."""
    if question.run_dir is None:
        return str(place_of(os.environ.get("VAESEARCH_RUNS") or "runs"))
    place = place_of(question.run_dir)
    return place.rpartition("/")[0] if isinstance(place, str) else str(place.absolute().parent)


def look_disks(question: Question) -> Iterator[Finding]:
    """Free space where runs, data, the cache and temporary files go, each disk once."""
    places = {
        "runs": None if is_url(runs_of(question)) else Path(runs_of(question)),
        "data": Path(question.data_dir),
        "cache": default_dir(),
        "temporary files": Path(tempfile.gettempdir()),
    }
    disks: dict[int, tuple[Path, list[str]]] = {}
    for purpose, path in places.items():
        if path is not None:
            there = nearest(path)
            disks.setdefault(there.stat().st_dev, (there, []))[1].append(purpose)
    for there, purposes in disks.values():
        usage, files = shutil.disk_usage(there), os.statvfs(there)
        few = files.f_files > 0 and files.f_favail < FILES
        yield judge_room(", ".join(purposes), there, usage.free, few)
    if question.backend == "ray" and SHARED.is_dir():
        yield judge_shared(shutil.disk_usage(SHARED).total)


def judge_room(purposes: str, path: Path, free: float, few_files: bool = False) -> Finding:
    """Whether ``free`` bytes are enough."""
    seen = f"{free / 1e9:.1f} GB free for {purposes} ({path})"
    cure = "make room, or choose another place: --run-dir, --data-dir, VAESEARCH_CACHE, TMPDIR"
    if few_files:
        return fail("disk", f"hardly any more files fit on {path}, for {purposes}", cure)
    if free < LEAST:
        return fail("disk", seen, cure)
    return warning("disk", seen, cure) if free < ENOUGH else ok("disk", seen)


def judge_shared(total: float) -> Finding:
    """Whether Ray's object store, which holds the images once per machine, fits into memory."""
    seen = f"{total / 1e9:.1f} GB in {SHARED}, for Ray's objects"
    if total < SHARED_ENOUGH:
        cure = "Ray falls back to slow files: start the container with --shm-size=4g"
        return warning("shared memory", seen, cure)
    return ok("shared memory", seen)


def nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    path = path.expanduser().absolute()
    while not path.exists():
        path = path.parent
    return path


def look_storage(question: Question) -> Iterator[Finding]:
    """Write, read and delete a small file where runs go, and take the time."""
    runs = runs_of(question)
    where = runs if is_url(runs) else str(nearest(Path(runs)))
    began = perf_counter()
    try:
        folder = folder_of(where, patience=PATIENCE)
        token = probe.leave(folder)
        taken = perf_counter() - began
        probe.clear(folder, token)
    except VaesearchError as error:
        what, _, cure = str(error).partition("\n")
        cures = cure or "give a --run-dir that can be written here, and its credentials"
        yield fail("storage", what, cures)
        return
    tidy(where)
    seen = f"{where} can be written; {1000 * taken:.0f} ms for a small file"
    if taken > SLOW:
        yield warning("storage", seen, "slow storage delays every pull: --chunk makes them longer")
    else:
        yield ok("storage", seen)


def tidy(where: str) -> None:
    """Remove the empty folder that the probe leaves on a file system."""
    if not is_url(where):
        with suppress(OSError):
            (Path(where) / probe.FOLDER).rmdir()
