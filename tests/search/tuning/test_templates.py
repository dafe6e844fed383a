"""Trials for a sampler's study: what is shared between proposals, and what is not."""

from copy import deepcopy
from dataclasses import replace

import optuna
import pytest
from landscape import SPACE
from optuna.trial import FrozenTrial, TrialState

from vaesearch import catalogue
from vaesearch.search.tuning.suggesting import distribution
from vaesearch.search.tuning.templates import Templates
from vaesearch.search.tuning.told import Told

POINT = {"learning_rate": 1e-3, "latent_dim": 8, "batch_size": 32}
TOLD = Told(0, "mlp", POINT, "complete", (-1.0,), 5)


@pytest.fixture
def templates():
    recipe = catalogue.build("samplers", "tpe", space=SPACE, seed=0)
    return Templates({p.name: distribution(p) for p in SPACE.parameters}, recipe)


def test_made_once_while_nothing_changed(templates):
    first = templates.of([TOLD], {})[0]
    assert templates.of([replace(TOLD)], {})[0] is first
    assert templates.of([replace(TOLD, figures=(-0.5,))], {})[0].values == [-0.5]
    assert templates.of([TOLD], {0: {"seen": 1}})[0].system_attrs == {"seen": 1}


def test_refused_follows_the_worst():
    recipe = replace(catalogue.build("samplers", "tpe", space=SPACE, seed=0), constrained=False)
    templates = Templates({p.name: distribution(p) for p in SPACE.parameters}, recipe)
    refused = Told(1, "mlp", POINT, "refused", excess={"buildable": 1.0})
    assert templates.of([TOLD, refused], {})[1].values == [-1.0]
    worse = Told(2, "mlp", POINT, "complete", (-3.0,), 5)
    assert templates.of([TOLD, refused, worse], {})[1].values == [-3.0]


def test_copy_is_that_of_optuna_and_apart(templates):
    pruned = replace(TOLD, standing="pruned")
    template = templates.of([pruned], {0: {"seen": 1}})[0]
    copy = deepcopy(template)
    assert type(copy) is FrozenTrial
    assert vars(copy) == vars(template)
    copy.number = 7
    copy.params["latent_dim"] = 2
    copy.system_attrs["seen"] = 2
    copy.intermediate_values[9] = 0.0
    again = templates.of([pruned], {0: {"seen": 1}})[0]
    assert again.params == POINT
    assert again.system_attrs == {"seen": 1}
    assert list(again.intermediate_values) == [5]
    assert again.number == -1


def test_studies_share_nothing_that_they_write(templates):
    """What a study notes on its copy of a trial is not seen by the next study."""
    running = Told(0, "mlp", POINT, "running")
    studies = [optuna.create_study(direction="maximize") for _ in range(2)]
    for study in studies:
        study.add_trials(templates.of([running], {}))
    one, other = studies
    one._storage.set_trial_state_values(one.trials[0]._trial_id, TrialState.COMPLETE, [-2.0])
    assert one.trials[0].values == [-2.0]
    assert other.trials[0].values is None
    assert other.trials[0].state == TrialState.RUNNING
