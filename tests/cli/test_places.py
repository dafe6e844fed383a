from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vaesearch.cli.places import RUN_PLACE, new_run_dir, run_dir_options, runs_root


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAESEARCH_RUNS", raising=False)


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("runs/a", Path("runs/a")),
        ("s3://bucket/runs/a/", "s3://bucket/runs/a"),
        ("file:///runs/a", Path("/runs/a")),
    ],
)
def test_a_url_stays_a_text_and_a_path_becomes_one(typed, place):
    assert RUN_PLACE.convert(typed, None, None) == place


def test_runs_go_where_the_environment_says(monkeypatch):
    assert runs_root() == Path("runs")
    monkeypatch.setenv("VAESEARCH_RUNS", "/shared/runs")
    assert new_run_dir("mnist").parent == Path("/shared/runs")
    monkeypatch.setenv("VAESEARCH_RUNS", "s3://bucket/runs/")
    first, second = new_run_dir("/data/my images.npz"), new_run_dir("/data/my images.npz")
    assert first.startswith("s3://bucket/runs/my images-")
    assert first != second


def test_two_runs_of_one_second_have_names_of_their_own():
    first = new_run_dir("mnist")
    first.mkdir(parents=True)
    assert new_run_dir("mnist") != first


def test_the_options_of_a_new_search():
    @click.command()
    @run_dir_options
    def start(run_dir, or_resume):
        click.echo(repr((run_dir, or_resume)))

    said = CliRunner().invoke(start, ["--run-dir", "gs://bucket/a", "--or-resume"]).output
    assert said == "('gs://bucket/a', True)\n"
    assert CliRunner().invoke(start, []).output == "(None, False)\n"
