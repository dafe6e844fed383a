"""Prepared data sets on disk, memory-mapped, so that every start but the first is immediate.

An entry is a folder of plain ``.npy`` files and ``meta.json``. It is written under another name
and then renamed, so a kill leaves no half entry. The whole cache may be deleted at any time.
"""

import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vaesearch.data.core import Splits
from vaesearch.data.labels import Array, Labels

FORMAT = 2  # raise it whenever the same source would give other arrays: splits, resizing, files
PARTS = ("train", "valid", "test")

_log = logging.getLogger(__name__)


def default_dir() -> Path:
    """``$VAESEARCH_CACHE``, or ``~/.cache/vaesearch`` where it is not set."""
    return Path(os.path.expanduser(os.environ.get("VAESEARCH_CACHE") or "~/.cache/vaesearch"))


def load_or_build(
    identity: str, build: Callable[[], Splits], *, cache_dir: Path | None = None
) -> Splits:
    """The entry for ``identity``, built first where there is none or it is damaged.

    A cache that cannot be written costs time but is no error: the built arrays are returned.

    Args:
        identity: text that tells this entry from all others.
        build: makes the arrays; called at most once.
        cache_dir: default :func:`default_dir`.
    """
    key = hashlib.sha256(f"{FORMAT} {identity}".encode(errors="surrogateescape")).hexdigest()[:32]
    entry = (cache_dir or default_dir()) / key
    cached = _open(entry)
    if cached is not None:
        return cached
    built = build()
    try:
        _write(entry, built)
    except OSError as error:
        if not entry.exists():  # else another process was faster
            _log.warning("no cache in %s (%s): the next start is slower", entry.parent, error)
    return _open(entry) or built


def _open(entry: Path) -> Splits | None:
    """The entry, memory-mapped and read-only; None where there is none that is whole."""
    try:
        meta = json.loads((entry / "meta.json").read_text())
        counts = meta["counts"]
        images = {p: _map(entry / f"{p}.npy", counts[p], np.uint8, 4) for p in PARTS}
        labels = _labels(entry, counts) if meta["has_labels"] else None
        fingerprint = str(meta["fingerprint"])
        return Splits(**images, fingerprint=fingerprint, labels=labels)
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def _labels(entry: Path, counts: dict[str, int]) -> Labels:
    arrays = {p: _map(entry / f"{p}_labels.npy", counts[p], np.int64, 1) for p in PARTS}
    return Labels(**arrays)


def _map(path: Path, count: int, dtype: type, ndim: int) -> Array:
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != dtype or array.ndim != ndim or len(array) != count:
        raise ValueError(f"{path} is not what was written")
    return np.asarray(array)


def _write(entry: Path, splits: Splits) -> None:
    """Put an entry in place in one step; if another process was faster, its entry stays."""
    draft = entry.parent / f".building-{uuid.uuid4().hex}"
    try:
        draft.mkdir(parents=True)
        _fill(draft, splits)
        if _open(entry) is None:  # a damaged one is in the way
            shutil.rmtree(entry, ignore_errors=True)
            draft.rename(entry)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(folder: Path, splits: Splits) -> None:
    counts = {}
    for part in PARTS:
        array = getattr(splits, part)
        np.save(folder / f"{part}.npy", array, allow_pickle=False)
        counts[part] = len(array)
        if splits.labels is not None:
            labels = getattr(splits.labels, part)
            np.save(folder / f"{part}_labels.npy", labels, allow_pickle=False)
    has_labels = splits.labels is not None
    meta = {"fingerprint": splits.fingerprint, "counts": counts, "has_labels": has_labels}
    (folder / "meta.json").write_text(json.dumps(meta))
