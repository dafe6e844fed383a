"""What a tuned search leaves in its directory."""

import json

import pytest
import yaml
from PIL import Image
from tuned import CAP, tuned_events

from vaesearch.bandits.core import Budget
from vaesearch.config import Config
from vaesearch.report.tuning.best import trial_options
from vaesearch.report.tuning.writing import write_tuned
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import fold
from vaesearch.search.tuning.findings import findings
from vaesearch.space import Space

BOTH = ("bpd", "consistency")


def written(path, **options):
    events = tuned_events(**options)
    state = fold(events, Budget(cap=CAP))
    write_tuned(RunDir(path), state, events)
    return RunDir(path), state


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Of two objectives and two decoders."""
    path = tmp_path_factory.mktemp("tuned")
    return written(path, trials=50, objectives=BOTH, groups=("mlp", "deconv"))


def test_results_say_what_was_found(run):
    run_dir, state = run
    content = json.loads(run_dir.results.read_text())
    found = findings(state)
    assert content["objectives"] == list(BOTH)
    assert content["best_arm"] == found.best.arm
    assert content["best_values"] == found.best_values
    assert content["space"] == Space.from_dict(state.space).fingerprint
    assert content["sampler"] == "tpe"
    assert [t["number"] for t in content["trials"]] == list(range(50))
    assert [entry["number"] for entry in content["front"]] == list(found.front)
    for entry in content["front"]:
        assert set(entry["figures"]) == set(BOTH)
    assert content["hypervolume"]["value"] == pytest.approx(found.volume)
    assert {one["objective"] for one in content["importances"]} == set(BOTH)
    # What a bandit's results have is there as well.
    assert {"arms", "policy", "seed", "reward", "epochs", "seconds", "reason"} <= set(content)


def test_the_best_trial_is_a_configuration_of_a_bandit(run):
    run_dir, state = run
    text = run_dir.best.read_text()
    assert text.startswith(f"# Trial {findings(state).best.number} (")
    config = Config.from_dict(yaml.safe_load(text))
    resolved = config.resolved(images=1200, channels=1)
    (arm,) = resolved.arms()
    best = state.arms[state.ranking[0]]
    assert arm.settings == best.arm.settings
    assert (config.seed, config.image_size, config.dataset) == (7, 8, "digits")


def test_every_trial_can_be_made_a_configuration(run):
    _, state = run
    for trial in findings(state).trials:
        if trial.arm is None:
            with pytest.raises(ValueError, match="not trained"):
                trial_options(state, trial)
            continue
        (arm,) = Config.from_dict(trial_options(state, trial)).arms()
        assert arm.settings == state.arms[trial.arm].arm.settings


def test_each_trial_of_the_front_has_a_file_and_those_of_an_older_front_go(run):
    run_dir, state = run
    events = tuned_events(trials=50, objectives=BOTH, groups=("mlp", "deconv"))
    (run_dir.front / "long-gone.yaml").write_text("epochs: 1\n")
    write_tuned(run_dir, state, events)
    found = findings(state)
    names = {f"{found.trials[n].arm}.yaml" for n in found.front}
    assert {path.name for path in run_dir.front.iterdir()} == names
    assert len(names) > 2


def test_pictures_are_there_and_of_a_size_that_can_be_read(run):
    run_dir, _ = run
    names = {path.stem for path in run_dir.plots.iterdir()}
    assert names == {
        "decoders", "front", "history", "importances", "learning_curves",
        "parallel_coordinates", "slices",
    }  # fmt: skip
    for path in run_dir.plots.iterdir():
        with Image.open(path) as picture:
            width, height = picture.size
            assert len(picture.convert("RGB").getcolors(10**7)) > 50  # no blank sheet
        assert width < 3000
        assert height < 2000


def test_the_tables_name_the_best_the_defaults_and_the_front(run):
    run_dir, state = run
    text = run_dir.ranking.read_text()
    rows = [line for line in text.splitlines() if line.startswith("| 1 |")]
    assert all(findings(state).best.arm in row for row in rows)
    assert "the defaults" in text
    assert "## Front" in text
    assert "PED-ANOVA" in text


def test_one_objective_one_decoder_and_few_trials(tmp_path):
    run_dir, _ = written(tmp_path, trials=6)
    names = {path.stem for path in run_dir.plots.iterdir()}
    assert names == {"history", "learning_curves", "parallel_coordinates", "slices"}
    assert not run_dir.front.exists()
    content = json.loads(run_dir.results.read_text())
    assert content["hypervolume"] == {"value": None, "reference": None}
    assert "too few" in content["importances"][0]["remark"]
    assert "## Front" not in run_dir.ranking.read_text()


def test_a_search_in_which_every_trial_failed_leaves_its_results(tmp_path):
    events = tuned_events(trials=1, finished=False)[:2]
    state = fold(events, Budget(cap=CAP))
    write_tuned(RunDir(tmp_path), state, events)
    assert json.loads((tmp_path / "results.json").read_text())["best_values"] == {}
    assert not (tmp_path / "best.yaml").exists()


@pytest.mark.parametrize("objectives", [("elbo",), ("bpd", "parameters", "consistency")])
def test_other_sets_of_objectives_can_be_drawn(tmp_path, objectives):
    events = tuned_events(trials=25, objectives=("bpd", "consistency"))
    config = {**events[0].config, "objective": list(objectives)}
    if objectives == ("elbo",):
        config["reward"] = "elbo"
    object.__setattr__(events[0], "config", config)
    for event in events:
        for report in getattr(event, "reports", []):
            report["metrics"]["elbo"] = report["reward"]
    state = fold(events, Budget(cap=CAP))
    write_tuned(RunDir(tmp_path), state, events)
    assert (tmp_path / "plots" / "slices.png").exists()
    assert (tmp_path / "plots" / "front.png").exists() == (len(objectives) > 1)
