"""The pieces of the reproductions, at sizes of a second."""

import math

import densities
import flows
import inference_gaps
import numpy as np
import published_gaps
import pytest
import torch
from shared import as_data, trained

from vaesearch.models.latents import DiagonalGaussian
from vaesearch.records import TrialSettings


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 6, 6)).astype(np.uint8)
    return as_data("squares", images[:30], images[30:], binary=True)


@pytest.fixture(scope="module")
def model(data):
    settings = TrialSettings(
        "networks:Decoder:size=8",
        encoder="networks:Encoder:size=8",
        likelihood="bernoulli",
        latent_dim=2,
        batch_size=10,
    )
    return trained(settings, data, epochs=2, seed=0)


@pytest.mark.parametrize("dataset", ["mnist", "fashionmnist"])
def test_published_table_adds_up(dataset):
    """As printed, to the two digits of its figures: so no digit of it is mistyped."""
    for (_, posterior), values in published_gaps.published(dataset).items():
        best = values["flow"] if posterior == "Flow" else values["ffg"]
        assert values["approximation"] == pytest.approx(values["log_p"] - best, abs=0.011)
        assert values["amortisation"] == pytest.approx(best - values["elbo"], abs=0.011)
        assert values["gap"] == pytest.approx(values["log_p"] - values["elbo"], abs=0.011)


def test_claims_hold_in_the_paper():
    table = published_gaps.published("mnist")
    for claim in published_gaps.CLAIMS:
        larger, smaller = (
            table[side.column][side.figure] for side in (claim.larger, claim.smaller)
        )
        assert larger > smaller, claim.words


def test_bounds_of_flows_script_are_in_order(model, data):
    found = flows.bounds(model, torch.tensor(data.test), samples=50)
    assert all(len(values) == 10 for values in found.values())
    assert (found["gap"] >= 0).all()
    torch.testing.assert_close(found["iwae"] - found["elbo"], found["gap"])
    assert torch.equal(found["iwae"], flows.bounds(model, torch.tensor(data.test), 50)["iwae"])


def test_error_of_a_gain_is_of_all_trainings_together():
    def gains(*each):
        return {name: {"gain of each seed": each} for name in flows.FIGURES}

    found = {flows.PLAIN: gains(0.0, 0.0), "planar:8": gains(1.0, 3.0), "iaf:2": gains(5.0, 5.0)}
    # Variances 2 and 0, so 1 on average, and two seeds.
    assert flows.errors(found)["iwae"] == pytest.approx(0.5**0.5)


def test_gains_are_taken_seed_by_seed():
    def training(level):
        values = {name: torch.full((3,), level).double() for name in flows.FIGURES}
        return values | {"seconds": torch.tensor([1.0])}

    made = flows.summary([training(1.5), training(4.0)], [training(1.0), training(3.0)])["elbo"]
    assert made["mean"] == 2.75
    assert made["gain of each seed"] == [0.5, 1.0]


def test_divergence_is_that_of_closed_form():
    """Between Gaussians, the target known up to a factor only."""

    def target(z):
        return 3 - 0.5 * (((z - 0.3) / 0.8) ** 2).sum(dim=-1)

    posterior = DiagonalGaussian(torch.zeros(1, 2), torch.zeros(1, 2))
    aim = DiagonalGaussian(torch.full((1, 2), 0.3), torch.full((1, 2), 2 * math.log(0.8)))
    divergence, error = densities.divergence(posterior, target)
    assert abs(divergence - posterior.kl_to(aim).item()) < 4 * error
    assert 0 < error < 0.01


@pytest.mark.parametrize("family", ["gaussian", "planar:2", "radial:2"])
def test_fitting_comes_nearer(family):
    short, longer = (
        densities.divergence(
            densities.fitted(family, densities.banana, steps=steps), densities.banana
        )
        for steps in (1, 30)
    )
    assert longer[0] < short[0] - 3 * (longer[1] + short[1])


def test_points_of_a_target_are_distributed_as_it_is():
    points = densities.exact(densities.banana, (-6.0, 6.0, -5.0, 15.0))
    assert points[:, 0].std() == pytest.approx(1.5, rel=0.02)
    bent = points[:, 1] - 0.6 * points[:, 0] ** 2 + 1
    assert bent.mean() == pytest.approx(0, abs=0.01)
    assert bent.std() == pytest.approx(0.4, rel=0.02)


@pytest.mark.parametrize("is_flow", [True, False])
def test_figures_of_the_gap_add_up(is_flow):
    levels = {"q": -95.0, "ffg": -92.0, "flow": -91.0, "local": -90.5 if is_flow else -92.0}
    elbo = {name: torch.full((4,), level) for name, level in levels.items()}
    found = inference_gaps.figures(elbo, torch.full((4,), -89.0), is_flow=is_flow)
    means = {name: values.mean().item() for name, values in found.items()}
    assert means["gap"] == 6
    assert means["approximation"] == (1.5 if is_flow else 3)
    assert means["approximation"] + means["amortisation"] == means["gap"]
    assert means["flexibility"] == (1.5 if is_flow else 1)
    assert set(found) == set(published_gaps.FIGURES)


def test_verdicts_ask_for_two_standard_errors():
    said = [
        inference_gaps.verdict(1.2, {"value": value, "error": 0.5}) for value in (1.1, -1.1, 0.9)
    ]
    assert said == ["yes", "no", "within error of 0"]
