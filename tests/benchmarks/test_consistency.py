"""The reproduction of Liu, Lin & Clark 2020, on noise and in one epoch."""

import json

import consistency as script
import consistency_page
import numpy as np
import pytest
import shared
import torch
from consistency import Case

from vaesearch.data.labels import Labels
from vaesearch.models.vae import build_model
from vaesearch.objectives import consistency, elbo_terms
from vaesearch.seeding import torch_generator


@pytest.fixture
def data():
    images = np.random.default_rng(0).integers(0, 256, (160, 1, 8, 8), dtype=np.uint8)
    made = shared.as_data("noise", images[:80], images[80:], binary=False)
    object.__setattr__(made, "labels", Labels(*[np.arange(80) % 10] * 3))
    return made


@pytest.fixture
def options():
    return shared.parser("").parse_args([])


def test_a_ratio_of_means_has_the_error_of_many_repetitions():
    generator = torch.Generator().manual_seed(0)
    below = 1 + torch.rand(2000, 400, generator=generator, dtype=torch.float64)
    above = 3 * below + torch.randn(2000, 400, generator=generator, dtype=torch.float64)
    found = [script.ratio(a, b) for a, b in zip(above, below, strict=True)]
    ratios, errors = torch.tensor(found).T
    assert ratios.mean().item() == pytest.approx(3, abs=0.01)
    assert errors.mean().item() == pytest.approx(ratios.std().item(), rel=0.05)
    assert script.ratio(below[0], below[0]) == [1.0, 0.0]


def test_figures_of_images_are_the_objective_s_own(data):
    model = build_model(Case(2, 0.0, 0).settings, data.shape)
    found = script.per_image(model, torch.tensor(data.test))
    x = torch.tensor(data.test).float() / 255
    with torch.no_grad():
        terms = elbo_terms(model.eval(), x, torch_generator(0, "consistency"))
        torch.testing.assert_close(found.elbo, terms.elbo.double())
        torch.testing.assert_close(found.sampled, consistency(model, terms).double())


def test_the_reversed_term_is_trained_on_and_with_weight_0_is_none(data, options, monkeypatch):
    monkeypatch.setattr(script, "SMALL_EPOCHS", 1)
    cases = [Case(2, 0.0, 5), Case(2, 0.0, 5, is_reversed=True), Case(2, 9.0, 5, is_reversed=True)]
    plain, none, tied = (row["curve"] for row in script._measure(data, cases, options))
    assert none == plain
    assert tied[0] == plain[0]
    assert tied[1] != plain[1]


def test_results_become_tables_and_pictures(data, options, monkeypatch, tmp_path):
    monkeypatch.setattr(script, "SMALL_EPOCHS", 4)
    saved = []
    monkeypatch.setattr(consistency_page, "save", lambda figure, name, dpi=0: saved.append(name))
    cases = [Case(z, alpha, 0) for z in (2, 10) for alpha in (0.0, 1.0, 10.0)]
    cases += [Case(2, 1.0, 0, is_reversed=True)]
    cases += [Case(2, alpha, 0, activation="ELU") for alpha in (0.0, 1.0)]
    rows = script._measure(data, cases, options)
    results = json.loads(json.dumps({"seeds": [0], "mnist": rows, "fashionmnist": rows[:2]}))
    found = script.tables(results)
    assert set(found) == {"consistency: claims", "consistency: figures"}
    assert found["consistency: figures"].count("\n") == 1 + 11
    assert "Fashion-MNIST | the same, no number | not measured" not in found["consistency: claims"]
    consistency_page.draw(results)
    assert saved == ["consistency_drift", "consistency_curves"]


def test_a_plain_model_is_compared_with_itself(data, options, monkeypatch):
    monkeypatch.setattr(script, "SMALL_EPOCHS", 1)
    (row,) = script._measure(data, [Case(2, 0.0, 0)], options)
    assert row["ratio"] == row["ratio_central"] == [1.0, 0.0]
    assert row["cost"] == [0.0, 0.0]
    assert row["picture"]["labels"] == data.labels.test.tolist()
    assert np.shape(row["picture"]["pairs"]) == (2, 3, 2)
