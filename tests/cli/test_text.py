from dataclasses import asdict
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from vaesearch import catalogue
from vaesearch.bandits.core import Budget
from vaesearch.cli.text import closing, interrupted, listing, sparkline
from vaesearch.events import ArmAdded, ArmFailed, DecisionMade, PullFinished, SearchFinished
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.state import fold

SETTINGS = asdict(TrialSettings(decoder="mlp"))
TRAINED = [
    ArmAdded("deconv", SETTINGS, 10),
    ArmAdded("linear", SETTINGS, 10),
    DecisionMade("deconv", 1, "first", []),
    PullFinished(0, "deconv", [asdict(EpochReport(1, -2.9131, 1.8, {}))], {}, "worker-1"),
    ArmFailed("linear", "loss is nan"),
]


def shown(renderable, width=80):
    console = Console(file=StringIO(), width=width)
    console.print(renderable, soft_wrap=True)
    return console.file.getvalue()


def ended(*more):
    return fold([*TRAINED, *more], Budget(epochs=1))


@pytest.mark.parametrize(
    ("values", "width", "bars"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], 8, "▁▂▃▄▅▆▇█"),
        ([9, 1, 2], 2, "▁█"),
        ([2, 2, 2], 8, "▅▅▅"),
        ([], 8, ""),
        ([float("nan"), 1, 2], 8, " ▁█"),
        ([float("nan")], 8, " "),
        ([-1e6, 1, 2, 3], 8, "▁▅▆█"),
    ],
)
def test_sparkline(values, width, bars):
    assert sparkline(values, width) == bars


@pytest.mark.parametrize("width", [80, 140])
def test_closing_shows_the_ranking_and_what_to_do_next(width):
    state = ended(SearchFinished("1 of 1 epochs", "deconv"))
    text = shown(closing(state, Path("runs/a"), None), width)
    assert max(map(len, text.splitlines())) <= width
    for part in ("deconv", "2.913", "100%", "linear failed: loss is nan", "Ended: 1 of 1 epochs",
                 "Best arm: deconv", "vaesearch ui runs/a"):  # fmt: skip
        assert part in text
    assert "resume" not in text
    assert "model.pt" not in text


def test_closing_points_at_the_files_that_exist_in_one_piece(tmp_path):
    folder = tmp_path / f"a run {'x' * 90}"
    (folder / "arms" / "deconv").mkdir(parents=True)
    for name in ("model.pt", "samples.png"):
        (folder / "arms" / "deconv" / name).touch()
    text = shown(closing(ended(), folder, "MLflow: 3 lines left to upload [later]"))
    assert f"Model: '{folder}/arms/deconv/model.pt'\n" in text
    assert "samples.png" in text
    assert "reconstructions.png" not in text
    assert "MLflow: 3 lines left to upload [later]\n" in text
    assert f"vaesearch resume '{folder}'\n" in text


def test_closing_without_a_best_arm():
    state = fold([TRAINED[1], TRAINED[4]], Budget(epochs=1))
    assert "there is no best model" in shown(closing(state, Path("a"), None))


def test_interrupted_quotes_the_directory():
    assert interrupted(Path("my runs/a")).endswith("\n  vaesearch resume 'my runs/a'")


@pytest.mark.parametrize("axis", catalogue.AXES)
def test_listing_names_every_member_in_full(axis):
    text = shown(listing(axis, catalogue.AXES[axis]))
    assert axis in text
    for entry in catalogue.AXES[axis]:
        assert f"\n{entry.name} " in text
