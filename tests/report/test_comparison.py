import json
from dataclasses import replace
from pathlib import Path

import pytest

from vaesearch.bandits.core import Budget
from vaesearch.errors import StorageError
from vaesearch.recordings import Curve, Manifest, Recording
from vaesearch.report import comparison_figure as drawing
from vaesearch.report.comparison import Comparison, headers, notes, table, title, to_data
from vaesearch.report.comparison_figure import comparison_figure
from vaesearch.search.comparison import oracle_outcomes
from vaesearch.search.instances import Instance
from vaesearch.search.outcomes import Outcome
from vaesearch.search.regret import Step, Trace, make_trace

VALID = {"a": (9.0, 7.0, 4.0), "b": (8.0, 7.5, 7.25)}


def instance(seed=0, metric="bpd", direction="min", tested=True, valid=VALID):
    curves = tuple(
        Curve(arm, seed, values, (1.0,) * len(values),
              tuple(v + 1.0 if tested else None for v in values))
        for arm, values in valid.items()
    )  # fmt: skip
    return Instance(Recording(Manifest("blobs", metric, direction), curves), seed)


def search(where, *arms, policy_seed=0, cut_short=None):
    done, steps = dict.fromkeys(where.curves, 0), []
    for arm in arms:
        done[arm] += 1
        steps.append((arm, done[arm], where.rewards[arm][done[arm] - 1]))
    return Outcome(where, policy_seed, make_trace(steps), cut_short or {})


def compared(*instances, rows, own=None, budget=Budget(epochs=4)):  # noqa: B008
    rows = rows | {"oracle": oracle_outcomes(instances, budget)}
    return Comparison(Path("runs/x"), instances, budget, "as asked", rows, "train it all", own)


@pytest.fixture
def one():
    where = instance()
    rows = {
        "ucb (the run)": (search(where, "a", "b", "a", "a", policy_seed=None),),
        "thompson": (search(where, "b", "a", "b"), search(where, "a", "a", "a", policy_seed=1)),
        "uniform": (search(where, "a", "b", "a", "b", cut_short={"b": 2}),),
    }
    return compared(where, rows=rows, own="ucb (the run)")


def test_the_table_is_written_out(one):
    assert headers(one) == (
        "policy", "best arm", "epoch", "valid.", "test", "regret", "to 1 %", "saved", "time",
    )  # fmt: skip
    assert table(one) == [
        ("ucb (the run)", "a", "3", "4.000", "5.000", "0.000", "4", "2", "0.00 s"),
        # One of two searches ended with 7.5 of arm b, the other with the best there is.
        ("thompson", "b (1/2)", "2", "5.750", "6.750", "1.750 ± 1.750", "3 (1/2)", "2 ± 1",
         "0.00 s"),
        ("uniform*", "a", "2", "7.000", "8.000", "3.000", "-", "-", "0.00 s"),
        ("oracle", "a", "3", "4.000", "5.000", "0.000", "3", "3", "3.0 s"),
    ]  # fmt: skip


def test_without_test_figures_there_is_no_such_column():
    where = instance(tested=False)
    shown = compared(where, rows={"ucb": (search(where, "a"),)})
    assert "test" not in headers(shown)
    assert all(len(line) == len(headers(shown)) for line in table(shown))


def test_a_search_that_found_nothing_is_all_dashes():
    where = instance()
    failed = Outcome(where, 0, Trace((Step(1, "a", 1, -9.0),), {"a": 1}), {})
    shown = compared(where, rows={"ucb": (failed,)})
    assert table(shown)[0] == ("ucb", "-", "-", "-", "-", "-", "-", "-", "0.00 s")


def test_notes_say_what_was_best_and_what_was_cut_short(one):
    said = list(notes(one))
    assert said[0] == "Best recorded: a, epoch 3: 4.000 bits/dim."
    assert any("over 2 policy seeds" in note for note in said)
    assert any("'ucb (the run)' is what happened" in note for note in said)
    assert "(b 2 epochs)" in said[-2]
    assert said[-1] == "A complete recording: train it all"


def test_where_nothing_was_cut_short_nothing_is_said_of_it():
    where = instance()
    said = " ".join(notes(compared(where, rows={"ucb": (search(where, "a"),)})))
    assert "*" not in said
    assert "complete" not in said


@pytest.mark.parametrize(("seed", "said"), [(0, "--repeats asks for more"), (None, "is random")])
def test_what_one_search_per_policy_means(seed, said):
    where = instance()
    shown = compared(where, rows={"ucb": (search(where, "a", policy_seed=seed),)})
    assert said in " ".join(notes(shown))


def test_several_seeds_are_said():
    both = (instance(0), instance(1))
    shown = compared(*both, rows={"ucb": tuple(search(i, "a", "a") for i in both)})
    said = list(notes(shown))
    assert said[0] == "Best recorded, mean of seeds 0, 1: 4.000 bits/dim."
    assert any("over recorded seeds" in note for note in said)


@pytest.mark.parametrize(
    ("metric", "direction", "best"),
    [("elbo", "max", "9.0 nats"), ("fid", "min", "4.0000"), ("bpd", "max", "9.0000")],
)
def test_any_metric_is_written_in_its_own_direction(metric, direction, best):
    where = instance(metric=metric, direction=direction)
    shown = compared(where, rows={"ucb": (search(where, "a"),)})
    assert best in next(notes(shown))
    assert shown.scale.sign == (1 if direction == "max" else -1)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(epochs=4), "blobs, 2 arms, 4 epochs (as asked), 1 worker, at most 3 epochs"),
        (Budget(seconds=2.5, workers=2), "blobs, 2 arms, 2.5 s (as asked), 2 workers"),
        (Budget(epochs=4, seconds=9.0), "4 epochs or 9 s"),
        (Budget(), "all that was recorded"),
    ],
)
def test_the_title_says_the_budget(budget, said):
    where = instance()
    assert said in title(compared(where, rows={"ucb": (search(where, "a"),)}, budget=budget))


def test_data_are_plain_and_hold_every_search(one):
    data = to_data(one)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    own, thompson, uniform, oracle = data["policies"]
    assert (own["replayed"], thompson["replayed"], oracle["replayed"]) == (False, True, False)
    assert [s["policy_seed"] for s in thompson["searches"]] == [0, 1]
    assert thompson["searches"][1]["best_so_far"] == [9.0, 7.0, 4.0]
    assert uniform["searches"][0]["allocation"] == {"a": 2, "b": 2}
    assert thompson["mean"]["regret"] == {
        "mean": 1.75, "error": pytest.approx(1.75), "count": 2, "of": 2
    }  # fmt: skip
    assert data["recorded"][0]["best"] == 4.0
    assert data["cut_short"] == {"b": 2}


@pytest.fixture
def drawn(monkeypatch):
    """The figures that would be saved."""
    figures = []
    monkeypatch.setattr(drawing, "save", lambda figure, _: figures.append(figure))
    return figures


def test_the_picture_has_a_line_per_policy_and_both_references(one, drawn, tmp_path):
    comparison_figure(one, tmp_path / "x.png")
    lines, bars = drawn[0].axes
    shown = {line.get_label(): list(line.get_ydata()) for line in lines.get_lines()}
    assert shown["ucb (the run)"] == [9.0, 8.0, 7.0, 4.0]
    # The mean of (8, 8, 7.5) and (9, 7, 4).
    assert shown["thompson"] == [8.5, 7.5, 5.75]
    assert shown["uniform*"] == [9.0, 8.0, 7.0, 7.0]
    # The best of one arm alone: b after one epoch, either after two, a after three.
    assert shown["oracle"] == [8.0, 7.0, 4.0, 4.0]
    assert "stopped where curves end" in lines.get_title(loc="left")
    widths = [round(bar.get_width(), 3) for bar in bars.patches]
    assert widths == [0.75, 0.25, 0.667, 0.333, 0.5, 0.5, 1.0, 0.0]


def test_many_arms_and_seeds_fit_in_a_picture(tmp_path):
    valid = {f"arm-{i}": (9.0 - i / 50, 8.0 - i / 50) for i in range(30)}
    both = (instance(0, valid=valid), instance(1, valid=valid))
    rows = {"ucb": tuple(search(i, "arm-0", "arm-29") for i in both)}
    comparison_figure(compared(*both, rows=rows), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_search_of_no_epochs_can_be_drawn(tmp_path):
    where = instance()
    shown = compared(where, rows={"ucb": (Outcome(where, 0, Trace(()), {}),)})
    comparison_figure(shown, tmp_path / "x.png")
    comparison_figure(replace(shown, budget=Budget(seconds=0.1)), tmp_path / "x.png")


def test_a_picture_that_cannot_be_written(one, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        comparison_figure(one, tmp_path / "file" / "x.png")
