import gzip
import json
from dataclasses import replace

import pytest

from vaesearch.errors import RecordingError
from vaesearch.recordings import (
    METRICS,
    Curve,
    Manifest,
    Recording,
    read_recording,
    recording_to_bytes,
)
from vaesearch.report.units import SCALES

MANIFEST = Manifest("digits", "bpd", "min", "one core", data={"shape": [1, 8, 8]})
CURVES = (
    Curve("mlp", 0, (4.0, 3.5), (1.0, 1.5), (None, 3.6), {"decoder": "mlp"}, 12),
    Curve("mlp", 1, (4.5,), (1.0,), (4.6,)),
    Curve("deconv", 0, (), (), (), failed="loss is nan"),
)
RECORDING = Recording(MANIFEST, CURVES)


def written(path, **changes):
    """A recording's file, with parts of it exchanged."""
    data = json.loads(gzip.decompress(recording_to_bytes(RECORDING)))
    path.write_bytes(gzip.compress(json.dumps(data | changes).encode()))
    return path


def entry(**changes):
    good = {"arm": "a", "seed": 0, "valid": [1.0, 2.0], "seconds": [1.0, 1.0], "test": [1.0, None]}
    return {"curves": [good | changes]}


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "curves.json.gz"
    path.write_bytes(recording_to_bytes(RECORDING))
    assert read_recording(path) == RECORDING
    assert recording_to_bytes(read_recording(path)) == path.read_bytes()


def test_curves_by_seed_and_rewards_by_direction():
    assert RECORDING.seeds == [0, 1]
    assert RECORDING.of_seed(1) == {"mlp": CURVES[1]}
    assert RECORDING.reward(3.5) == -3.5
    assert replace(RECORDING, manifest=replace(MANIFEST, direction="max")).reward(3.5) == 3.5


def test_our_metrics_have_the_direction_that_people_are_told():
    assert {name: "min" if s.sign < 0 else "max" for name, s in SCALES.items()} == METRICS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (entry(valid=[1.0, None]), "arm 'a', seed 0, valid: a gap at epoch 2"),
        (entry(seconds=[None, 1.0]), "seconds: a gap at epoch 1"),
        (entry(valid=[1.0]), "unequal length: 1 of valid, 2 of seconds, 2 of test"),
        (entry(valid=[1.0, float("nan")]), "valid: epoch 2 is nan; end the curve before it"),
        (entry(valid=[float("inf"), 1.0]), "valid: epoch 1 is inf"),
        (entry(valid=[1.0, "2.0"]), "valid: epoch 2 is '2.0'"),
        (entry(valid=[1.0, True]), "valid: epoch 2 is True"),
        (entry(test=[None, float("nan")]), "test: epoch 2 is nan"),
        (entry(seconds=[1.0, -1.0]), "seconds: epoch 2 is -1.0"),
        (entry(valid=[], seconds=[], test=[]), "has no epoch and did not fail"),
        (entry(valid=3), "a field is missing or unknown"),
        (entry(colour="red"), "a field is missing or unknown"),
        (entry(arm=7), "arm must be str"),
        (entry(seed="0"), "seed must be int"),
        (entry(failed=True), "failed must say why"),
        ({"curves": entry()["curves"] * 2}, "arm 'a', seed 0 is recorded twice"),
        ({"curves": [{"arm": "a"}]}, "a field is missing or unknown: 'valid'"),
        ({"manifest": {"dataset": "digits"}}, "a field is missing or unknown"),
        (
            {"manifest": {"dataset": "d", "metric": "fid", "direction": "down"}},
            "metric 'fid' has the direction 'down'; say 'min'",
        ),
        (
            {"manifest": {"dataset": "d", "metric": "fid", "direction": "min", "clock": "sun"}},
            "clock is 'sun'; allowed: wall, cpu",
        ),
        ({"format": "parquet"}, "holds no recorded curves"),
        ({"version": 2}, "is of version 2; this release reads 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_recording_is_said(tmp_path, changes, said):
    path = written(tmp_path / "curves.json.gz", **changes)
    with pytest.raises(RecordingError) as caught:
        read_recording(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b[:40] + b"?" * 9 + b[49:]])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "curves.json.gz"
    path.write_bytes(damage(recording_to_bytes(RECORDING)))
    with pytest.raises(RecordingError, match="is damaged"):
        read_recording(path)


def test_a_file_of_another_kind_and_no_file(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("epoch 1: 4.0")
    with pytest.raises(RecordingError, match="is not gzipped JSON"):
        read_recording(path)
    path.write_bytes(gzip.compress(b"[1, 2]"))
    with pytest.raises(RecordingError, match="holds no recorded curves"):
        read_recording(path)
    with pytest.raises(RecordingError, match="No such file"):
        read_recording(tmp_path / "missing.json.gz")
