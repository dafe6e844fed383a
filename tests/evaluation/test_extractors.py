from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from vaesearch.data import ImageData, load_images
from vaesearch.data.labels import Labels
from vaesearch.errors import InputError
from vaesearch.evaluation.extractors import classifier, labels, make_extractor
from vaesearch.evaluation.extractors.classifier import Recipe, train_classifier
from vaesearch.evaluation.extractors.core import extract
from vaesearch.evaluation.extractors.labels import LabelsExtractor

QUICK = Recipe(features=12, channels=8, steps=60)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def digits(tmp_path):
    return load_images("digits", data_dir=tmp_path, image_size=8)


@pytest.fixture
def quick(digits):
    return partial(LabelsExtractor, data=digits, recipe=QUICK)


def pictures(data):
    return torch.tensor(data.test[:40]).float() / 255


def test_classes_are_learned(digits):
    assert isinstance(make_extractor("labels", digits), LabelsExtractor)
    extractor = LabelsExtractor(data=digits, recipe=Recipe(steps=200))
    assert extractor.facts["accuracy"] > 0.9
    assert extractor.facts["classes"] == 10
    made = extractor(pictures(digits))
    assert made.shape == (40, extractor.features)
    assert not made.requires_grad


def test_features_are_in_units_of_training_images(quick, digits):
    made = quick()(torch.tensor(digits.train).float() / 255)
    torch.testing.assert_close(made.mean(dim=0), torch.zeros(12), atol=1e-4, rtol=0)
    torch.testing.assert_close(made.std(dim=0), torch.ones(12), atol=1e-4, rtol=0)


def test_the_second_call_trains_nothing(quick, digits, monkeypatch):
    first = quick()(pictures(digits))
    monkeypatch.setattr(labels, "train_classifier", lambda *_: pytest.fail("trained again"))
    again = quick()
    assert torch.equal(again(pictures(digits)), first)
    assert 0 < again.facts["accuracy"] <= 1


def test_training_twice_gives_the_same_weights_whatever_the_threads(digits):
    train = partial(train_classifier, digits.train, digits.labels.train, QUICK)
    first = train().state_dict()
    torch.manual_seed(99)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        second = train().state_dict()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("damage", [b"", b"text"])
def test_a_damaged_file_is_replaced(quick, digits, cache, damage):
    first = quick()(pictures(digits))
    (path,) = cache.glob("extractor-*.pt")
    path.write_bytes(damage)
    assert torch.equal(quick()(pictures(digits)), first)
    assert len(path.read_bytes()) > 1000


def test_an_unwritable_cache_only_warns(quick, digits, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VAESEARCH_CACHE", str(tmp_path / "file"))
    assert quick()(pictures(digits)).shape == (40, 12)
    assert "trained again" in caplog.text


def test_digest_follows_images_labels_and_recipe(digits, quick):
    moved = np.roll(digits.labels.train, 1)
    others = [
        quick(data=replace(digits, fingerprint="f")),
        quick(data=replace(digits, labels=replace(digits.labels, train=moved))),
        quick(recipe=replace(QUICK, steps=61)),
    ]
    digests = {extractor.digest for extractor in (quick(), quick(), *others)}
    assert len(digests) == 4
    assert all(len(digest) == 64 for digest in digests)


def test_classes_may_have_any_numbers(digits):
    strange = digits.labels.train * 7 - 3
    held = np.full_like(digits.labels.valid, 1000)  # of no training image
    data = replace(digits, labels=Labels(strange, held, digits.labels.test))
    extractor = LabelsExtractor(data=data, recipe=QUICK)
    assert extractor.facts == {"accuracy": 0.0, "classes": 10}


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 33, 33), (1, 100, 100)])
def test_images_of_any_size_have_features(shape):
    network = classifier.new_classifier(shape, 2, QUICK)
    assert network.embed(torch.rand(2, *shape)).shape == (2, 12)
    assert network(torch.rand(2, *shape)).shape == (2, 2)


def unlabelled(data, **changes):
    return replace(data, labels=None, **changes)


def test_images_without_labels_are_refused_with_alternatives(digits):
    with pytest.raises(InputError, match=r"(?s)digits has no labels.*inception.*y_train"):
        make_extractor("labels", unlabelled(digits))


def test_a_single_class_is_refused(digits):
    one = Labels(*(np.zeros_like(part) for part in vars(digits.labels).values()))
    with pytest.raises(InputError, match="same label"):
        make_extractor("labels", replace(digits, labels=one))


def test_unknown_extractors_are_refused_with_the_nearest(digits):
    with pytest.raises(InputError, match="did you mean 'labels'"):
        make_extractor("label", digits)


def test_an_own_module_is_taken(digits):
    extractor = make_extractor("features:Blocks:scale=2.0", unlabelled(digits))
    assert extractor.features == 16
    x = pictures(digits)
    assert extractor(x)[:, 0].tolist() == pytest.approx(
        (2 * x[:, 0, :2, :2].mean((1, 2))).tolist()
    )
    same, other = (make_extractor(f"features:Blocks{s}", digits) for s in (":scale=2.0", ""))
    assert extractor.digest == same.digest != other.digest
    assert make_extractor("features:Named", digits).digest == "mine"


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("features:Maps", r"makes \[2, 1, 8, 8\] of pictures.*wanted \[2, F\]"),
        ("features:function", "must be a torch.nn.Module"),
        ("features:Missing", "has no 'Missing'"),
    ],
)
def test_unfit_modules_are_refused(digits, spec, complaint):
    with pytest.raises(InputError, match=complaint):
        make_extractor(spec, digits)


def test_pictures_are_extracted_in_chunks_and_in_order(digits):
    extractor = make_extractor("features:Blocks", digits)
    x, told = pictures(digits), []
    made = extract(extractor, 40, lambda start, stop: x[start:stop], told.append, 15)
    assert torch.equal(made, extractor(x))
    assert told == [15, 30, 40]


def test_features_that_are_not_finite_are_refused(digits):
    extractor = make_extractor("features:Diverged", digits)
    with pytest.raises(InputError, match="not finite"):
        extract(extractor, 4, lambda *_: pictures(digits), lambda _: None, 4)


def test_no_labels_is_the_default():
    image = np.zeros((1, 1, 4, 4), np.uint8)
    assert ImageData("n", image, image, image, "8bit", "f").labels is None
