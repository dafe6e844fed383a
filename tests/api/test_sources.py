"""What is kept of a configuration whose values are of this machine."""

import pytest
from landscape import SMALL, config_of

from vaesearch.api.sources import settled


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("s3://bucket/runs/first/", "s3://bucket/runs/first"),
        ("/runs/first", "/runs/first"),
        ("file:///runs/first", "/runs/first"),
        ("runs/first", "{here}/runs/first"),
    ],
)
def test_an_earlier_run_is_found_from_elsewhere_too(tmp_path, monkeypatch, given, kept):
    monkeypatch.chdir(tmp_path)
    expected = kept and kept.format(here=tmp_path)
    assert settled(config_of(warm_start=given), SMALL).warm_start == expected
