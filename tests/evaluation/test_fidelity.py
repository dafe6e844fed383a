from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from vaesearch import catalogue
from vaesearch.data import load_images
from vaesearch.errors import InputError
from vaesearch.evaluation.extractors import core
from vaesearch.evaluation.extractors.classifier import Recipe
from vaesearch.evaluation.extractors.labels import LabelsExtractor
from vaesearch.evaluation.frechet import frechet_estimate
from vaesearch.evaluation.metrics.fidelity import FID, KID
from vaesearch.evaluation.subject import Subject, silent
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

BLOCKS = "features:Blocks"
SETS = ["prior", "gmm", "reconstruction", "real"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    return load_images("digits", data_dir=folder, image_size=8, cache_dir=folder)


@pytest.fixture
def subject(digits):
    """Make a subject of an untrained model."""

    def make(*, data=digits, prior="standard", extractor=BLOCKS, **options):
        settings = TrialSettings("mlp", encoder="mlp", latent_dim=2, width=0.1, prior=prior)
        model = build_model(settings, data.shape)
        return Subject(model, data, extractor=extractor, **options)

    return make


def figures(metric, subject):
    return metric.measure(subject, silent).figures


@pytest.mark.parametrize("metric", [FID(200), KID(200)])
def test_each_set_of_pictures_has_a_figure_an_error_and_a_count(metric, subject):
    found = metric.measure(subject(limit=150), silent)
    name = type(metric).__name__.lower()
    assert list(found.figures) == [f"{name}_{part}" for part in SETS]
    assert [figure.count for figure in found.figures.values()] == [200, 200, 150, 200]
    assert all(0 < figure.error < np.inf for figure in found.figures.values())
    assert found.details["images"] == 150
    assert found.details["components"] == 10
    assert found.details["extractor"]["name"] == BLOCKS
    assert found.details["extractor"]["digest"][:8] in " ".join(found.notes)
    assert found.figures[f"{name}_real"].value < found.figures[f"{name}_prior"].value


def test_figures_are_distances_of_what_the_model_makes(subject):
    measured = subject(limit=150)
    extractor = core.make_extractor(BLOCKS, measured.data)
    reference = extractor(measured.images / 255)
    z = measured.mixture(3).sample(300, measured.generator("fidelity", "gmm"))
    made = {
        "gmm": measured.model.decode(z).mean,
        "reconstruction": measured.model(measured.images / 255),
        "real": measured.train[:300] / 255,
    }
    found = figures(FID(300, components=3), measured)
    for name, pictures in made.items():
        expected = frechet_estimate(extractor(pictures), reference).distance
        assert found[f"fid_{name}"].value == pytest.approx(expected.value, rel=1e-4)


@pytest.mark.parametrize("metric", [FID(130), KID(130)])
def test_chunks_change_nothing_and_repeating_gives_the_same(metric, subject):
    first = figures(metric, subject())
    assert figures(metric, subject()) == first
    for chunk in (7, 1000):
        again = figures(metric, subject(chunk=chunk))
        for name, figure in first.items():
            assert again[name].value == pytest.approx(figure.value, rel=1e-6, abs=1e-6)
            assert again[name].error == pytest.approx(figure.error, rel=1e-4, abs=1e-6)


def test_exactly_the_samples_asked_for_are_decoded(subject, monkeypatch):
    measured, decoded = subject(limit=100, chunk=64), []
    decode = measured.model.decode
    monkeypatch.setattr(measured.model, "decode", lambda z: decoded.append(len(z)) or decode(z))
    figures(KID(333), measured)
    assert sum(decoded) == 333 + 333 + 100
    assert max(decoded) == 64


def test_too_little_memory_halves_the_chunk(subject, monkeypatch):
    expected = figures(KID(80), subject(limit=100))
    measured, decoded = subject(limit=100, chunk=64), []
    decode = measured.model.decode

    def short(z):
        if len(z) > 20:
            raise MemoryError
        decoded.append(len(z))
        return decode(z)

    monkeypatch.setattr(measured.model, "decode", short)
    found = figures(KID(80), measured)
    assert max(decoded) == 16
    assert found["kid_prior"].value == pytest.approx(expected["kid_prior"].value, abs=1e-6)


def test_progress_goes_from_nothing_to_all(subject):
    told = []
    KID(500).measure(subject(), told.append)
    assert told == sorted(told)
    assert 0 < told[0] < 0.5
    assert told[-1] == 1


def test_a_fitted_prior_is_measured_beside_the_standard_one(subject):
    plain, fitted = subject(), subject(prior="gmm:4")
    fitted.model.take_aggregate(fitted.mixture())
    assert figures(FID(100), fitted)["fid_prior"] == figures(FID(100), plain)["fid_prior"]
    assert figures(FID(100), fitted)["fid_gmm"].value > 0


def test_the_number_of_components_matters(subject):
    one, many = (figures(FID(200, components=n), subject())["fid_gmm"] for n in (1, 12))
    assert one != many


def test_training_images_have_no_floor_of_their_own(subject):
    found = FID(100).measure(subject(split="train", limit=100), silent)
    assert "fid_real" not in found.figures
    assert "what is measured on" in " ".join(found.notes)


def blurred(images):
    return torch.nn.functional.avg_pool2d(images, 3, 1, 1)


@pytest.mark.parametrize("spoil", ["blur", "noise"])
def test_fid_rises_as_pictures_get_worse(subject, spoil, tmp_path, monkeypatch):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path))
    measured = subject()
    extractor = LabelsExtractor(data=measured.data, recipe=Recipe(steps=100))
    reference = extractor(measured.images / 255)
    made, found = measured.train / 255, []
    noise = torch.randn(made.shape, generator=torch.Generator().manual_seed(0))
    for step in range(4):
        found.append(frechet_estimate(extractor(made.clamp(0, 1)), reference).distance)
        made = blurred(made) if spoil == "blur" else measured.train / 255 + 0.2 * 2**step * noise
    for less, more in pairwise(found):
        assert more.value - less.value > 3 * (more.error**2 + less.error**2) ** 0.5


@pytest.mark.parametrize(
    ("metric", "options", "complaint"),
    [
        (FID(16), {}, r"16 samples leave.*16 features.*more than 16 \(fid:samples=10000\).*kid"),
        (FID(100), {"limit": 10}, r"10 test images leave.*--images"),
        (FID(100), {"limit": 10, "split": "valid"}, "10 valid images"),
        (FID(100, components=149), {}, r"fid:components=149.*1188 take 148 components at most"),
        (KID(100, components=149), {}, r"kid:components=149"),
        (KID(39), {}, r"39 samples are too few for 20 subsets.*40 or more \(kid:samples"),
        (KID(100), {"limit": 30}, "30 test images are too few"),
    ],
)
def test_what_there_is_too_little_for_is_refused_with_alternatives(
    subject, metric, options, complaint
):
    with pytest.raises(InputError, match=complaint):
        metric.check(subject(**options))


def test_enough_pictures_are_not_refused(subject):
    FID(17).check(subject(limit=17))
    KID(4, subsets=2).check(subject(limit=4))


@pytest.mark.parametrize("metric", [FID(), KID()])
def test_labels_are_asked_for_only_where_they_are_needed(subject, digits, metric):
    bare = replace(digits, labels=None)
    metric.check(subject(data=bare))
    with pytest.raises(InputError, match=r"no labels.*--extractor inception"):
        metric.check(subject(data=bare, extractor="labels"))


@pytest.mark.parametrize(
    "spec", ["fid:0", "fid:x", "fid:samples=9,components=0", "kid:1.5", "kid:subsets=1"]
)
def test_settings_out_of_range_are_refused(spec):
    with pytest.raises(InputError, match=r"must be a whole number"):
        catalogue.build("metrics", spec)


def test_settings_are_written_as_elsewhere():
    assert catalogue.build("metrics", "fid:500") == FID(500)
    assert catalogue.build("metrics", "kid:samples=9,components=4,subsets=3") == KID(9, 4, 3)
