from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from vaesearch.errors import RunDirError
from vaesearch.records import Estimate
from vaesearch.search.evaluations import Key, Record, merge_records, read_records


@pytest.fixture
def record():
    key = Key("elbo", {"samples": 1}, "test", 60, 0, {}, "abc", "def", "0.1.0")
    return Record("elbo", key, {"elbo": Estimate(-1.5, 0.25, 60, "nats")}, {"a": [1]}, ("Note.",))


def test_what_is_kept_is_read_back(tmp_path, record):
    path = tmp_path / "evaluation" / "a-epoch-00001.json"
    assert read_records(path) == []
    other = replace(record, key=replace(record.key, split="valid"))
    merge_records(path, "a", 1, [record])
    merge_records(path, "a", 1, [other])
    assert read_records(path) == [record, other]
    newer = replace(record, seconds=2.0)
    merge_records(path, "a", 1, [newer])
    assert read_records(path) == [other, newer]


def test_two_that_measure_at_once_lose_nothing_of_each_other(tmp_path, record):
    path = tmp_path / "evaluation" / "a-epoch-00001.json"

    def keep(seed):
        merge_records(path, "a", 1, [replace(record, key=replace(record.key, seed=seed))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(24)))
    assert sorted(r.key.seed for r in read_records(path)) == list(range(24))


def test_numbers_that_json_lacks_are_kept_as_none(tmp_path, record):
    path = tmp_path / "evaluation" / "a-epoch-00001.json"
    figures = {"a": Estimate(float("inf"), float("nan"))}
    merge_records(path, "a", 1, [replace(record, figures=figures, details={"b": [float("nan")]})])
    assert "NaN" not in path.read_text()
    [kept] = read_records(path)
    assert np.isnan(kept.figures["a"].value)
    assert kept.figures["a"].error is None
    assert kept.details == {"b": [None]}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 9}', '{"format": 1, "measurements": [{}]}', "\xff"]
)
def test_a_damaged_file_is_named_and_not_written_over(tmp_path, record, text):
    path = tmp_path / "a-epoch-00001.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunDirError, match=r"a-epoch-00001\.json is damaged"):
        read_records(path)
    with pytest.raises(RunDirError, match="not overwritten"):
        merge_records(path, "a", 1, [record])
    assert path.read_bytes() == text.encode("latin-1")
