"""How ``--or-resume`` goes on with what is there, seen without training anything."""

import pytest
from searched import edit

from vaesearch.api.refusing import changes_here
from vaesearch.bandits.core import Budget
from vaesearch.config import Config, read_config
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold

BARE, SECRET = "http://me@host:5000", "http://me:s3cret@host:5000"


def typed(run: RunDir) -> Config:
    """The options that the search was started with."""
    return read_config(fold(read_ledger(run.ledger), Budget()).config, source="")


@pytest.fixture
def finished(run_dir):
    edit(run_dir / "ledger.jsonl", '"tracking_uri":"none"', f'"tracking_uri":"{BARE}"')
    return RunDir(run_dir)


@pytest.fixture
def interrupted(finished):
    lines = finished.ledger.read_text().splitlines(keepends=True)
    finished.ledger.write_text("".join(lines[:-1]))
    return finished


def test_a_password_is_passed_on_though_what_is_kept_is_equal(interrupted):
    config = typed(interrupted)
    assert config.tracking_uri == BARE
    assert changes_here(interrupted, config) == {}
    secret = config.changed(tracking_uri=SECRET)
    assert changes_here(interrupted, secret) == {"tracking_uri": SECRET}


@pytest.mark.parametrize(
    "places",
    [
        {"workers": 3, "backend": "ray"},
        {"address": "10.0.0.1:6379", "backend": "ray"},
        {"tracking_uri": SECRET},
    ],
)
def test_a_finished_search_is_not_opened_again_for_another_place(finished, places):
    assert changes_here(finished, typed(finished).changed(**places)) == {}


def test_an_interrupted_search_goes_on_in_another_place(interrupted):
    assert changes_here(interrupted, typed(interrupted).changed(hang_seconds=3)) == {
        "hang_seconds": 3
    }
