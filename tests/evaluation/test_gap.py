"""The inference gap and its parts, against closed forms and on real digits."""

import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from digits import binarized, load_digits, trained
from linear_gaussian import LinearGaussianVAE

from vaesearch import catalogue
from vaesearch.data import ImageData
from vaesearch.errors import InputError
from vaesearch.evaluation import fit_aggregate
from vaesearch.evaluation.local import Decomposition, Settings, decompose, decomposition
from vaesearch.evaluation.metrics.gap import Gap
from vaesearch.evaluation.subject import Subject, silent
from vaesearch.models.posteriors import DiagonalGaussianPosterior
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

LOG = logging.getLogger(__name__)
IMAGES = 30
QUICK = {"images": IMAGES, "samples": 400, "flow": 0, "temperatures": 0}


def subject_of(model, **options):
    return Subject(model, model.data(IMAGES), **options)


def measured(subject, **settings):
    metric = Gap(**QUICK | settings)
    metric.check(subject)
    return metric.measure(subject, silent)


@pytest.fixture(scope="module")
def linear():
    model = LinearGaussianVAE()
    return model, measured(subject_of(model))


def test_parts_are_the_closed_forms(linear):
    """Approximation is the same for every x, and the whole gap is KL(q || p(z|x))."""
    model, measurement = linear
    figures = measurement.figures
    x = next(subject_of(model).batches())
    assert figures["gap"].value == pytest.approx(model.gap(x).mean().item(), abs=0.1)
    assert figures["gap_approximation"].value == pytest.approx(model.approximation_gap, abs=0.02)
    assert figures["gap_approximation"].error < 0.01
    log_p = model.log_evidence(x).mean().item()
    assert figures["gap_log_p"].value == pytest.approx(log_p, abs=0.02)
    assert figures["gap_elbo_full"].value == pytest.approx(log_p, abs=0.02)


def test_parts_add_up(linear):
    figures = {name: estimate.value for name, estimate in linear[1].figures.items()}
    parts = figures["gap_approximation"] + figures["gap_amortisation"]
    assert parts == pytest.approx(figures["gap"], abs=1e-9)
    assert figures["gap_log_p"] - figures["gap_elbo_q"] == pytest.approx(figures["gap"], abs=1e-9)
    assert figures["gap_elbo_local"] == figures["gap_elbo_ffg"]


def test_errors_are_of_the_differences(linear):
    """log p(x) differs from image to image by far more than its distance to the bound does."""
    figures = linear[1].figures
    assert figures["gap_approximation"].error < 0.1 * figures["gap_log_p"].error
    assert all(estimate.count == IMAGES for estimate in figures.values())


def test_the_same_twice_and_in_chunks():
    model, short = LinearGaussianVAE(), {"steps": 100, "samples": 100, "images": 10}
    first, again, chunked = (
        measured(subject_of(model, chunk=chunk), **short) for chunk in (None, None, 7)
    )
    assert again == first
    for name, estimate in first.figures.items():
        assert chunked.figures[name].value == pytest.approx(estimate.value, abs=1e-6)
        assert chunked.figures[name].error == pytest.approx(estimate.error, abs=1e-6)
    assert chunked.details == first.details


def test_blocks_of_images_are_all_measured(monkeypatch):
    monkeypatch.setattr(decomposition, "BLOCK", 4)
    model, told = LinearGaussianVAE(), []
    found = decompose(
        subject_of(model),
        Settings(images=10, samples=7, flow=1, hidden=5, temperatures=5, chains=2, steps=50),
        told.append,
    )
    assert set(found.elbo) == set(found.iwae) == {"q", "local", "ffg", "full", "flow"}
    assert all(len(values) == 10 for values in [*found.elbo.values(), found.ais])
    assert all(len(steps) == 3 for steps in found.steps.values())
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_exactly_the_samples_asked_for(monkeypatch):
    """Of each of the posteriors, for each image; one sample makes both bounds the same."""
    counts = []
    original = decomposition.log_weights

    def counted(*arguments):
        weights = original(*arguments)
        counts.append(tuple(weights.shape))
        return weights

    monkeypatch.setattr(decomposition, "log_weights", counted)
    settings = {"flow": 0, "temperatures": 0, "steps": 50, "images": 9}
    decompose(subject_of(LinearGaussianVAE()), Settings(samples=63, **settings))
    assert counts == [(63, 9)] * 4
    single = decompose(subject_of(LinearGaussianVAE()), Settings(samples=1, **settings))
    assert all(torch.equal(single.elbo[name], single.iwae[name]) for name in single.elbo)


def test_best_evidence_is_chosen_by_its_mean():
    """The higher for each image would be too high: (0, 0) is right here, and not (1, 1)."""
    noisy = torch.tensor([1.0, -1.5]), torch.tensor([-1.2, 1.0])
    own = torch.full((2,), -3.0)
    elbo = {"q": own, "local": own + 1}
    iwae = {"q": noisy[0], "local": noisy[1]}
    found = Decomposition(elbo, iwae, torch.zeros(0), {})
    assert found.source == "iwae_local"
    assert torch.equal(found.parts()["log_p"], noisy[1])
    with_ais = Decomposition(elbo, iwae, torch.zeros(2), {})
    assert with_ais.source == "ais"
    assert torch.equal(with_ais.parts()["gap"], -own)


def test_fewer_images_than_asked_for_are_said(linear):
    model, measurement = linear
    few = measured(subject_of(model, limit=5), steps=50, samples=10)
    assert few.figures["gap"].count == 5
    assert any("only 5 images to measure, not 30" in note for note in few.notes)
    assert not any("only" in note for note in measurement.notes)


def test_objective_other_than_the_elbo_is_said(linear):
    model = LinearGaussianVAE(bound="iwae:5")
    notes = measured(subject_of(model), steps=50, samples=10).notes
    assert any("--bound iwae:5" in note and "plain ELBO" in note for note in notes)
    assert not any("plain ELBO" in note for note in linear[1].notes)


class OwnGaussianPosterior(DiagonalGaussianPosterior):
    """A user's own, of our distribution: it has a local form."""


class OddPosterior(DiagonalGaussianPosterior):
    """A user's own distribution."""

    def forward(self, features):
        q = super().forward(features)
        return SimpleNamespace(mean=q.mean, rsample=q.rsample)


def test_posterior_of_ones_own_is_refused_unless_its_distribution_is_ours():
    model = LinearGaussianVAE()
    own = OwnGaussianPosterior(features=12, latent_dim=3).double()
    own.load_state_dict(model.posterior.state_dict())
    model.posterior = own
    Gap().check(subject_of(model))
    model.posterior = OddPosterior(features=12, latent_dim=3).double()
    with pytest.raises(InputError, match=r"is your own.*measure elbo and iwae:5000"):
        Gap().check(subject_of(model))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": 1}, "images of gap must be a whole number, at least 2"),
        ({"samples": 0}, "samples of gap"),
        ({"flow": -1}, "flow must be a whole number, at least 0"),
        ({"temperatures": 2}, "temperatures"),
        ({"temperatures": -1}, "temperatures"),
        ({"chains": 0}, "chains of gap"),
        ({"steps": 1.5}, "steps of gap"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Gap(**settings)


def test_images_are_the_first_setting():
    assert catalogue.build("metrics", "gap:7") == Gap(images=7)
    assert catalogue.build("metrics", "gap:images=7,temperatures=0") == Gap(7, temperatures=0)


@pytest.mark.parametrize("posterior", ["full-covariance", "planar:2", "radial:2", "iaf:2,8,4"])
def test_other_families_have_all_figures(posterior):
    model = LinearGaussianVAE(posterior)
    found = measured(subject_of(model), steps=100, samples=50, flow=1, hidden=8, images=6)
    figures = {name: estimate.value for name, estimate in found.figures.items()}
    assert all(math.isfinite(value) for value in figures.values())
    assert figures["gap_elbo_local"] > figures["gap_elbo_q"]
    flexibility = figures["gap_elbo_flow"] - figures["gap_elbo_ffg"]
    assert figures["gap_flexibility"] == pytest.approx(flexibility)


def noise_subject(chunk=None, **changes):
    settings = TrialSettings("mlp", encoder="mlp", width=1 / 32, **{"latent_dim": 3, **changes})
    levels = np.random.default_rng(0).integers(0, 256, (3, 100, 1, 8, 8), dtype=np.uint8)
    data = ImageData("noise", *levels, "8bit", "of this noise")
    model = build_model(settings, data.shape, seed=1).eval()
    if settings.prior == "gmm:2":
        model.take_aggregate(fit_aggregate(model, torch.tensor(data.train), 0))
    return Subject(model, data, chunk=chunk)


TINY = {"samples": 60, "flow": 1, "hidden": 8, "temperatures": 5, "chains": 2, "steps": 50}


def test_chunks_change_nothing_in_float32():
    """An ascent and chains of half a thousand steps would make much of other rounding errors."""
    one, other = (decompose(noise_subject(chunk), Settings(8, **TINY)) for chunk in (None, 13))
    for name, values in one.parts().items():
        torch.testing.assert_close(other.parts()[name], values, rtol=1e-6, atol=1e-4)
    for name, values in one.elbo.items():
        torch.testing.assert_close(other.elbo[name], values, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"posterior": "ladder:2", "prior": "ladder:2"}, None),
        ({"prior": "vampprior:5"}, None),
        ({"prior": "gmm:2", "posterior": "realnvp:2,16"}, "fitted after training"),
        ({"likelihood": "beta", "precision": "bfloat16", "latent_dim": 1}, None),
    ],
)
def test_any_prior_and_likelihood(changes, note):
    found = measured(noise_subject(**changes), **TINY, images=5)
    figures = {name: estimate.value for name, estimate in found.figures.items()}
    assert all(math.isfinite(value) for value in figures.values())
    assert figures["gap_log_p"] >= max(figures["gap_ais"], figures["gap_iwae_q"])
    assert figures["gap"] > 0
    assert bool(note) == any("fitted after training" in line for line in found.notes)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_digits_lose_more_to_the_encoder_where_it_was_not_trained():
    """Cremer et al. 2018 on 10,000 digits: both parts above 0, amortisation above all on test."""
    train, test = (binarized(part) for part in load_digits())
    model = trained(train, epochs=40, likelihood="bernoulli", latent_dim=20)
    arrays = (part.numpy() for part in (train, test, test))
    data = ImageData("digits", *arrays, "binary", "of these digits")
    figures = {}
    for split in ("train", "test"):
        found = measured(
            Subject(model, data, split=split), images=100, samples=500, flow=2, temperatures=200
        )
        figures[split] = {name: estimate.value for name, estimate in found.figures.items()}
        LOG.info("%s: %s, log p from %s", split, figures[split], found.details["log_p_from"])
        assert figures[split]["gap_approximation"] > 0
        assert figures[split]["gap_amortisation"] > 0
        parts = figures[split]["gap_approximation"] + figures[split]["gap_amortisation"]
        assert parts == pytest.approx(figures[split]["gap"])
        # A proposal fitted to each image beats the encoder's by far.
        assert figures[split]["gap_iwae_local"] > figures[split]["gap_iwae_q"]
        assert figures[split]["gap_flexibility"] > 0
    assert figures["test"]["gap_amortisation"] > figures["train"]["gap_amortisation"] + 0.5
