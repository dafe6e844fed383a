import errno
import json

import own_metrics
import pytest
from searched import add_bad_arms, edit

from vaesearch import catalogue
from vaesearch.assessment import evaluate, evaluating
from vaesearch.bandits.core import Budget
from vaesearch.catalogue import Entry
from vaesearch.errors import CheckpointError, InputError, RunDirError
from vaesearch.search import evaluations
from vaesearch.search.evaluations import read_records
from vaesearch.search.ledger import read_ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold
from vaesearch.trained import read_state

QUICK = [entry.name for entry in catalogue.METRICS if "quick" in entry.traits]


@pytest.fixture
def own():
    """The module of a user's metrics, with nothing taken yet."""
    own_metrics.taken.clear()
    return own_metrics


def measured(run_dir, *metrics, **options):
    return evaluate(run_dir, *metrics, send=False, **options)


def only(found):
    [assessed] = found
    return assessed


def test_quick_metrics_are_measured_by_default_and_kept(run_dir):
    assessed = only(measured(run_dir))
    assert [record.spec for record in assessed.records] == QUICK
    assert assessed.path == run_dir / "evaluation" / "mlp-wide-epoch-00002.json"
    content = json.loads(assessed.path.read_text())
    assert (content["arm"], content["epoch"]) == ("mlp-wide", 2)
    kept = {name: f for m in content["measurements"] for name, f in m["figures"].items()}
    assert kept["elbo"]["value"] == assessed.figures["elbo"].value
    assert kept["elbo"]["unit"] == "nats per image"
    first = content["measurements"][0]
    assert (first["split"], first["images"], first["seed"]) == ("test", 60, 0)
    assert first["seconds"] > 0
    assert first["device"] == "cpu"
    assert {"python", "torch", "numpy", "vaesearch"} <= set(first["software"])
    assert first["hardware"]


def test_figures_carry_errors_and_units(run_dir):
    for name, figure in only(measured(run_dir, "elbo,bpd,mse")).figures.items():
        assert figure.error > 0, name
        assert figure.unit, name
        assert figure.count == 60, name


def test_the_second_time_nothing_is_measured(run_dir, own):
    words = "elbo,own_metrics:Count"
    first = only(measured(run_dir, words))
    again = only(measured(run_dir, words))
    assert own.taken == ["mlp-wide"]
    assert again.records == first.records
    assert [r.cached for r in first.records] == [False, False]
    assert [r.cached for r in again.records] == [True, True]


def test_the_same_question_in_other_words_is_not_measured_again(run_dir, own):
    measured(run_dir, "own_metrics:Count")
    measured(run_dir, "own_metrics:Count:1", images=60)
    # More images than there are, another chunk and another order change no figure.
    measured(run_dir, "elbo,own_metrics:Count:power=1", images=1000, chunk=7, epoch=2)
    assert len(own.taken) == 1


@pytest.mark.parametrize(
    "changed",
    [{"split": "valid"}, {"images": 7}, {"seed": 1}, {"extractor": "pixels"}, {"arms": "mlp"},
     {"metrics": "own_metrics:Count:2"}, {"metrics": "own_metrics:Count:offset=0.5"}],
)  # fmt: skip
def test_another_question_is(run_dir, own, changed):
    measured(run_dir, "own_metrics:Count")
    measured(run_dir, **{"metrics": "own_metrics:Count", **changed})
    assert len(own.taken) == 2


def test_the_extractor_matters_to_those_alone_that_depend_on_it(run_dir):
    measured(run_dir, "mse", extractor="pixels")
    assert only(measured(run_dir, "mse")).records[0].cached


@pytest.mark.parametrize(
    "edited",
    [
        ('"version": "', '"version": "9.'),
        ('"digest": "', '"digest": "0'),
        ('"data": "', '"data": "0'),
    ],
)
def test_another_version_checkpoint_or_data_set_is_another_question(run_dir, own, edited):
    assessed = only(measured(run_dir, "own_metrics:Count"))
    edit(assessed.path, *edited)
    measured(run_dir, "own_metrics:Count")
    assert len(own.taken) == 2
    assert len(read_records(assessed.path)) == 2


def test_measuring_again_gives_the_same_and_replaces_it(run_dir, own):
    first = only(measured(run_dir, "elbo,own_metrics:Count"))
    again = only(measured(run_dir, "own_metrics:Count,elbo", again=True))
    assert len(own.taken) == 2
    assert again.figures == first.figures
    assert len(read_records(first.path)) == 2


def test_what_is_not_defined_is_left_out_unless_it_was_asked_for(run_dir, own, monkeypatch):
    quick = frozenset({"quick"})
    entries = tuple(Entry(n, f"own_metrics:{n}", "", traits=quick) for n in ("Count", "NotMine"))
    monkeypatch.setattr(catalogue, "METRICS", entries)
    monkeypatch.setitem(catalogue.AXES, "metrics", entries)
    for _ in range(2):
        assessed = only(measured(run_dir, arms="mlp"))
        assert [record.spec for record in assessed.records] == ["Count"]
        assert assessed.left_out == {"NotMine": "not-mine: not for mlp; measure count."}
    assert own.taken == ["mlp"]


def test_a_metric_that_is_refused_for_one_arm_stops_all_before_the_first(run_dir, own):
    with pytest.raises(InputError, match="mlp: not-mine: not for mlp; measure count"):
        measured(run_dir, "own_metrics:Count,own_metrics:NotMine", arms="all")
    assert own.taken == []
    assert not (run_dir / "evaluation").exists()


def test_what_was_finished_survives_an_interruption(run_dir, own):
    seen = []
    with pytest.raises(KeyboardInterrupt):
        measured(
            run_dir, "own_metrics:Count,own_metrics:Stop", watch=lambda *told: seen.append(told)
        )
    assert only(measured(run_dir, "own_metrics:Count")).records[0].cached
    count = ("mlp-wide", "own_metrics:Count")
    assert seen == [
        (*count, 0.0),
        (*count, 0.495),
        (*count, 1.0),
        ("mlp-wide", "own_metrics:Stop", 0.0),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"images": 0}, "--images must be above 0, not 0"),
        ({"epoch": "bset"}, "did you mean 'best'"),
        ({"epoch": 9}, "no checkpoint of epoch 9"),
        ({"epoch": 9, "arms": "all"}, "no arm can be evaluated: mlp has no checkpoint of epoch 9"),
        ({"arms": ["mlp", "mpl"]}, "did you mean 'mlp'"),
        ({"device": "cuda:77"}, "--device cuda:77 cannot be used"),
    ],
)
def test_what_cannot_be_had_is_refused(run_dir, given, said):
    with pytest.raises(InputError, match=said):
        measured(run_dir, "elbo", **given)
    assert not (run_dir / "evaluation").exists()


def test_arms_that_failed_or_were_never_trained_are_skipped_with_a_line(run_dir):
    add_bad_arms(run_dir)
    notes = []
    assessed = only(measured(run_dir, "elbo", arms="all", note=notes.append))
    assert assessed.arm == "mlp-wide"
    assert sorted(notes) == [
        "Left out: late has no checkpoint: not trained yet.", "Left out: mlp failed: loss is NaN",
    ]  # fmt: skip
    assert only(measured(run_dir, "elbo", arms="mlp")).arm == "mlp"


def test_a_damaged_file_is_refused_and_left_alone(run_dir):
    path = only(measured(run_dir, "elbo")).path
    for text in ("{", "[]", '{"format": 9}', '{"format": 1, "measurements": [{}]}'):
        path.write_text(text)
        for again in (False, True):
            with pytest.raises(RunDirError, match=r"is damaged .*\n.*not overwritten"):
                measured(run_dir, "elbo", again=again)
        assert path.read_text() == text


def test_figures_that_cannot_be_kept_are_given_all_the_same(run_dir, monkeypatch):
    def full(path, content):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(evaluations, "write_atomically", full)
    assessed = only(measured(run_dir, "elbo"))
    assert assessed.figures["elbo"].value < 0
    assert "mlp-wide-epoch-00002.json: Read-only file system" in assessed.unkept
    assert assessed.to_dict()["path"] is None


def test_a_checkpoint_that_a_running_search_replaced_is_looked_for_anew(run_dir, monkeypatch):
    events, now = read_ledger(run_dir / "ledger.jsonl"), read_state(RunDir(run_dir))
    befores = (fold(events[:count], Budget()) for count in range(len(events)))
    before = next(s for s in befores if "mlp" in s.arms and s.arms["mlp"].epoch == 1)
    states = iter([before, now, now])
    monkeypatch.setattr(evaluating, "read_state", lambda _: next(states))
    assert only(measured(run_dir, "elbo", arms="mlp")).epoch == 2
    monkeypatch.setattr(evaluating, "read_state", lambda _: before)
    with pytest.raises(CheckpointError, match="cannot read"):
        measured(run_dir, "elbo", arms="mlp")
