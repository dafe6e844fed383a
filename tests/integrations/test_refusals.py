"""What the scheduler refuses, and what it says."""

import pytest
from fake_tune import LOSSES, FakeTune, scheduler
from ray.tune import Trainable

from vaesearch.errors import InputError
from vaesearch.events import DecisionMade
from vaesearch.integrations.ray_tune import LOG_NAME, BanditScheduler
from vaesearch.search.ledger import read_ledger

pytestmark = pytest.mark.usefixtures("no_disk")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs a budget: epochs=100"),
        ({"policy": "tompson", "epochs": 9}, "did you mean 'thompson'"),
        ({"policy": 3, "epochs": 9}, "3 is not a policy"),
        ({"epochs": 0}, "epochs must be an integer of at least 1"),
        ({"epochs": 9, "max_t": 0}, "max_t must be an integer"),
        ({"epochs": 9, "workers": 1.5}, "workers must be an integer"),
        ({"seconds": -1.0}, "seconds must be above 0"),
        ({"epochs": 9, "mode": "lower"}, "mode must be 'min' or 'max', not 'lower'"),
    ],
)
def test_options_are_checked(options, said):
    with pytest.raises(InputError, match=said):
        BanditScheduler(**options)


@pytest.mark.parametrize(("metric", "mode"), [(None, None), ("loss", None), (None, "min")])
def test_a_metric_and_a_mode_are_needed(metric, mode):
    with pytest.raises(InputError, match="needs a metric and a mode"):
        BanditScheduler(epochs=9).set_search_properties(metric, mode)


def test_a_metric_is_given_once(tmp_path):
    both = BanditScheduler(epochs=9, metric="loss", mode="min")
    assert both.set_search_properties(None, None)
    assert both.set_search_properties("loss", "min")
    assert not both.set_search_properties("accuracy", None)


def test_trials_without_end_are_refused():
    with pytest.raises(InputError, match="num_samples=-1 has no end"):
        BanditScheduler(epochs=9).set_search_properties("loss", "min", num_samples=-1)


def test_a_class_without_checkpoints_is_refused_before_it_trains(tmp_path):
    class Forgetful(Trainable):
        def save_checkpoint(self, checkpoint_dir):
            return {}

    tune = FakeTune(scheduler(), LOSSES, tmp_path, trainable=Forgetful)
    with pytest.raises(InputError, match=r"Forgetful cannot be paused: .* load_checkpoint"):
        tune.run()
    assert not tune.trained


@pytest.mark.parametrize("value", [None, "low", [1.0]])
def test_a_metric_that_is_no_number_is_an_error(value, tmp_path):
    tune = FakeTune(scheduler(), LOSSES | {"fast": [value], "late": [value]}, tmp_path)
    with pytest.raises(InputError, match="reported loss="):
        tune.run()


def test_two_trials_need_two_names(tmp_path):
    same = BanditScheduler("uniform", epochs=9, key=lambda config: "same")
    with pytest.raises(InputError, match="two configurations have the same key"):
        FakeTune(same, LOSSES, tmp_path).step()


def test_another_experiment_in_the_same_folder_is_refused_and_nothing_is_written(tmp_path):
    FakeTune(scheduler("uniform"), LOSSES, tmp_path).run(5)
    before = (tmp_path / LOG_NAME).read_bytes()
    other = FakeTune(scheduler("uniform"), {"new": LOSSES["fast"]}, tmp_path)
    with pytest.raises(InputError, match="is about other trials: restore that experiment"):
        other.step()
    other = FakeTune(scheduler("uniform", mode="max"), LOSSES, tmp_path / "elsewhere")
    assert (tmp_path / LOG_NAME).read_bytes() == before


def test_a_log_of_another_metric_is_refused(tmp_path):
    FakeTune(scheduler("uniform"), LOSSES, tmp_path).run(5)
    other = FakeTune(scheduler("uniform", time_attr="epoch"), LOSSES, tmp_path)
    with pytest.raises(InputError, match="time_attr 'training_iteration', not 'epoch'"):
        other.step()


def test_storage_elsewhere_needs_a_log_here(tmp_path):
    tune = FakeTune(scheduler("uniform"), LOSSES, tmp_path)
    for trial in tune.trials:
        trial.storage.storage_filesystem.type_name = "s3"
    with pytest.raises(InputError, match="give BanditScheduler\\(log=PATH\\)"):
        tune.step()
    tune = FakeTune(scheduler("uniform", log=tmp_path / "logs" / "mine.jsonl"), LOSSES, tmp_path)
    tune.run()
    events = read_ledger(tmp_path / "logs" / "mine.jsonl")
    assert sum(isinstance(event, DecisionMade) for event in events) == 24
