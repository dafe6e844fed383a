import os

import pytest
from rich.console import Console

from vaesearch.cli.lines import PlainLines
from vaesearch.cli.terminal import Patient, Session
from vaesearch.errors import VaesearchError
from vaesearch.events import SearchFinished
from vaesearch.search.state import SearchState


def test_a_reader_that_goes_away_stops_no_search():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as log:
        console = Patient(file=log)
        show = PlainLines(console)
        for _ in range(2):
            show(SearchFinished("spent", "mlp"), SearchState())
    assert console.quiet


def test_a_full_disk_under_the_log_stops_no_search():
    log = open("/dev/full", "w")  # noqa: SIM115
    PlainLines(Console(file=log))(SearchFinished("spent", "mlp"), SearchState())
    with pytest.raises(OSError, match="No space"):
        log.close()


def test_a_connection_that_breaks_is_no_reader_that_went_away(run_dir):
    with (
        pytest.raises(VaesearchError, match="a connection of the search broke"),
        Session(run_dir, as_json=False),
    ):
        raise BrokenPipeError("of a database")
