"""The closing words of a tuned search, and its live table."""

from io import StringIO

import pytest
from rich.console import Console
from tuned import tuned_events, tuned_state

from vaesearch.bandits.core import Budget
from vaesearch.cli.live import LiveTable
from vaesearch.cli.tuned import closing_tuned
from vaesearch.report.tuning.writing import write_tuned
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold
from vaesearch.search.tuning.findings import findings


def said(state, path, width=80):
    console = Console(width=width, record=True, file=StringIO())
    console.print(closing_tuned(state, path, "a remark"), soft_wrap=True)
    return console.export_text()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """State and closing words of 60 trials."""
    path = tmp_path_factory.mktemp("run")
    events = tuned_events(trials=60, objectives=("bpd", "consistency"), groups=("mlp", "deconv"))
    state = fold(events, Budget(cap=27))
    write_tuned(RunDir(path), state, events)
    return state, path, said(state, path)


def test_only_the_best_trials_are_listed(told):
    state, _, text = told
    ranking = findings(state).ranking
    listed = text.partition("front:")[0]
    arms = [findings(state).trials[n].arm for n in ranking]
    assert all(f" {arm} " in listed for arm in arms[:10])
    assert not any(f" {arm} " in listed for arm in arms[11:] if arm != "mlp-000")


def test_no_cell_is_cut_short(told):
    assert "…" not in told[2]


def test_it_says_what_was_found_and_what_the_defaults_reach(told):
    state, path, text = told
    best = findings(state).best
    assert f"Best values: latent_dim {best.values['latent_dim']}" in text
    assert "On test images: bits/dim" in text
    assert "The defaults reached, after 27 epochs: bits/dim" in text
    assert "60 trials: " in text
    assert f"  vaesearch bandit --config {path}/best.yaml --epochs 54\n" in text
    assert f"  vaesearch evaluate {path}\n" in text
    assert f"Those of the front: {path}/front\n" in text
    assert "no other trial is better in everything" in text
    assert "a remark" in text


def test_one_objective_has_no_front(tmp_path):
    text = said(tuned_state(trials=12), tmp_path)
    assert "front" not in text
    assert "best.yaml" not in text  # it was not written here
    assert "12 trials: 1 trained to the end, 10 stopped before, 1 refused before training." in text


def test_before_any_epoch_there_is_nothing_to_recommend(tmp_path):
    state = fold(tuned_events(trials=2, finished=False)[:2], Budget())
    text = said(state, tmp_path)
    assert "1 trials: 1 not trained yet." in text
    assert "Best values" not in text


def test_the_live_table_shows_no_more_trials_than_anyone_reads():
    console = Console(width=120, height=100, force_terminal=True, file=StringIO())
    table = LiveTable(console, clock=lambda: 2000.0)
    events = tuned_events(trials=60, finished=False)
    table(events[-1], fold(events, Budget(cap=27)))
    with console.capture() as capture:
        console.print(table.render())
    text = capture.get()
    assert text.count("mlp-") == 20 + text.count("last decision: mlp-")
    assert "more arms" in text
