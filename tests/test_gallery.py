import hashlib

import numpy as np
import pytest
import torch
from pictured import opened

from vaesearch import catalogue, gallery
from vaesearch.errors import InputError
from vaesearch.evaluation import fit_aggregate
from vaesearch.gallery.images import SPREADING
from vaesearch.models.likelihoods import Likelihood
from vaesearch.models.vae import build_model


@pytest.mark.parametrize("source", gallery.samples.SOURCES)
@pytest.mark.parametrize("draw", [False, True])
@pytest.mark.parametrize("count", [1, 3, 251])
def test_exactly_so_many_and_the_same_ones_for_the_same_seed(source, draw, count):
    trained = opened()
    options = {"count": count, "source": source, "draw": draw}
    first, again, other = (gallery.sample(trained, **options, seed=s) for s in (5, 5, 6))
    assert first.images.shape == (count, 1, 8, 8)
    assert first.images.dtype == np.uint8
    assert first.latents.shape == (count, 3)
    np.testing.assert_array_equal(first.images, again.images)
    assert not np.array_equal(first.latents, other.latents)
    if not draw:
        decoded = trained.model.decode(torch.tensor(first.latents)).mean
        off = decoded.mul(255).round().numpy() - first.images.astype(float)
        assert np.abs(off).max() <= 1


def test_the_mixture_is_the_run_s_whatever_the_seed(monkeypatch):
    trained = opened(latent_dim=2)
    seeds = []

    def spy(model, images, seed, components):
        seeds.append((seed, components))
        return fit_aggregate(model, images, seed, components)

    monkeypatch.setattr(gallery.samples, "fit_aggregate", spy)
    found = gallery.sample(trained, 9, source="gmm", seed=8, components=2)
    assert seeds == [(trained.config.seed, 2)]
    assert "a mixture of 2 Gaussians" in found.title
    many = gallery.sample(trained, 9, source="gmm", components=999)
    assert "too few images for 999" in many.title


def test_a_model_s_own_mixture_is_taken():
    trained = opened(prior="gmm:2", latent_dim=2)
    mixture = fit_aggregate(trained.model, torch.tensor(trained.data.train), 0)
    trained.model.take_aggregate(mixture)
    from_gmm = gallery.sample(trained, 9, source="gmm")
    np.testing.assert_array_equal(from_gmm.latents, gallery.sample(trained, 9).latents)


@pytest.mark.parametrize("source", ["prior", "gmm"])
def test_temperature_scales_deviations(source):
    trained = opened(latent_dim=2)
    plain, cold = (
        gallery.sample(trained, 4000, source=source, temperature=t).latents for t in (1, 1e-4)
    )
    if source == "prior":
        np.testing.assert_allclose(cold, plain * 1e-4, rtol=1e-5)
    else:  # what is left are the means
        mixture = gallery.samples.mixture_of(trained, None)
        distance = torch.cdist(torch.tensor(cold).double(), mixture.means).min(dim=1).values
        assert distance.max() < 1e-3
    assert len(np.unique(plain, axis=0)) == 4000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 0}, "--count must be a whole number, at least 1, not 0"),
        ({"count": 2.5}, "--count"),
        ({"source": "gm"}, "did you mean 'gmm'"),
        ({"components": 3}, "add --from gmm"),
        ({"components": 0, "source": "gmm"}, "--components must be a whole number"),
        ({"temperature": 0.0}, "--temperature must be above 0"),
        ({"temperature": float("nan")}, "--temperature must be a number"),
        ({"temperature": -1.0}, "--temperature must be a number"),
    ],
)
def test_samples_that_make_no_sense_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        gallery.sample(opened(), **options)


def test_a_temperature_needs_gaussians():
    with pytest.raises(InputError, match="--prior vampprior:5 is none"):
        gallery.sample(opened(prior="vampprior:5"), temperature=0.5)


def test_reconstructions_are_of_the_images_asked_for():
    trained = opened()
    found = gallery.reconstruct(trained, [3, 17, 3])
    np.testing.assert_array_equal(found.originals, trained.data.test[[3, 17, 3]])
    np.testing.assert_array_equal(found.reconstructions[0], found.reconstructions[2])
    x = torch.tensor(found.originals) / 255
    made = trained.model(x)
    np.testing.assert_allclose(found.errors, (made - x).square().mean(dim=(1, 2, 3)), rtol=1e-5)
    assert found.deviations is None
    sampled = gallery.reconstruct(trained, [3, 17, 3], code="sample", split="valid")
    assert not np.array_equal(sampled.latents[0], sampled.latents[2])
    np.testing.assert_array_equal(sampled.originals[1], trained.data.valid[17])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"indices": [3, 40]}, "there is no test image 40: noise has 40, 0 to 39"),
        ({"indices": [-1]}, "there is no test image -1"),
        ({"indices": []}, "names no image"),
        ({"split": "tset"}, "did you mean 'test'"),
        ({"code": "men"}, "did you mean 'mean'"),
        ({"uncertainty": True}, "predicts no deviation of its own"),
    ],
)
def test_reconstructions_that_make_no_sense_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        gallery.reconstruct(opened(), **{"indices": [1], **options})


def test_the_likelihoods_named_for_uncertainty_are_those_that_predict_it():
    def spreads(spec):
        likelihood = catalogue.build("likelihoods", spec)
        assert isinstance(likelihood, Likelihood)
        return likelihood.predicts_spread

    specs = [entry.name for entry in catalogue.LIKELIHOODS]
    with_pixel = [f"{n}:pixel" for n in ("gaussian", "discretized-normal", "discretized-logistic")]
    assert sorted(filter(spreads, specs + with_pixel)) == sorted(SPREADING)


def test_expected_deviations_are_the_likelihood_s():
    trained = opened(likelihood="beta")
    found = gallery.reconstruct(trained, range(5), uncertainty=True)
    pixels = trained.model.decode(torch.tensor(found.latents))
    np.testing.assert_allclose(found.deviations, pixels.standard_deviation, rtol=1e-5)


def test_a_traversal_holds_the_others_at_an_image_s_code():
    trained = opened()
    found = gallery.traverse(trained, [2, 0], image=4, span=2, steps=5)
    code = gallery.reconstruct(trained, [4]).latents[0]
    assert found.images.shape == (2, 5, 1, 8, 8)
    np.testing.assert_allclose(found.latents[0, :, 2], [-2, -1, 0, 1, 2])
    np.testing.assert_array_equal(found.latents[0, :, :2], np.tile(code[:2], (5, 1)))
    at_zero = gallery.traverse(trained, top=2)
    assert at_zero.moved.tolist() == np.argsort(-at_zero.scores).tolist()[:2]
    assert at_zero.latents[0, 3].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"latents": [3]}, "there is no latent 3; the model has 3, 0 to 2"),
        ({"latents": [-1]}, "there is no latent -1"),
        ({"image": 40}, "there is no test image 40"),
        ({"span": 0}, "--span must be above 0"),
        ({"steps": 1}, "--steps must be a whole number, at least 2"),
        ({"top": 0}, "--top must be"),
    ],
)
def test_traversals_that_make_no_sense_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        gallery.traverse(opened(), **options)


def test_an_interpolation_ends_at_the_reconstructions():
    trained = opened()
    path = gallery.interpolate(trained, [3, 17], steps=4)
    ends = gallery.reconstruct(trained, [3, 17])
    assert path.images.shape == (4, 1, 8, 8)
    np.testing.assert_allclose(path.latents[[0, -1]], ends.latents, rtol=1e-5, atol=1e-6)
    off = path.images[[0, -1]].astype(int) - ends.reconstructions
    assert np.abs(off).max() <= 1
    sheet = gallery.interpolate(trained, [3, 17, 20, 5], steps=4, spherical=True)
    assert sheet.images.shape == (4, 4, 1, 8, 8)
    for number in (1, 3, 5):
        with pytest.raises(InputError, match=f"4 as corners, not {number}"):
            gallery.interpolate(trained, range(number))


def test_a_map_knows_classes_prior_and_mixture():
    trained = opened(latent_dim=4)
    found = gallery.latent_map(trained, images=30)
    assert found.points.shape == (30, 2)
    assert found.labels.tolist() == (np.arange(30) % 4).tolist()
    assert found.prior_points is None
    assert found.drifts is None
    first, second = (int(name.removeprefix("latent ")) for name in found.names)
    np.testing.assert_array_equal(found.points, found.latents[:, [first, second]])
    assert found.covariances.shape[1:] == (2, 2)
    bare = gallery.latent_map(opened(labels=False, prior="vampprior:5"), latents=[2, 0])
    assert bare.labels is None
    assert bare.names == ("latent 2", "latent 0")
    assert bare.prior_points.shape == (500, 2)


def test_a_map_has_the_drift_of_the_first_images():
    trained = opened()
    found = gallery.latent_map(trained, plane="pca", arrows=6, times=2)
    assert found.drifts.shape == (3, 6, 2)
    assert found.drift_covariances.shape == (3, 6, 2, 2)
    assert found.divergences.shape == (2, 6)
    np.testing.assert_allclose(found.drifts[0], found.points[:6], rtol=1e-4, atol=1e-6)
    mean = found.divergences[0].mean()
    assert f"KL(z'||z) {mean:.2f} ± " in found.title
    assert "nats" not in gallery.latent_map(opened(posterior="realnvp:2"), arrows=3).title


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"latents": [0, 0]}, "two different latents"),
        ({"latents": [0, 1, 2]}, "two different latents"),
        ({"latents": [0, 3]}, "there is no latent 3"),
        ({"latents": [0, 1], "plane": "pca"}, "leave out --latents"),
        ({"plane": "pcs"}, "did you mean 'pca'"),
        ({"images": 0}, "--images must be"),
        ({"arrows": -1}, "--drift must be"),
        ({"times": 0}, "--times must be"),
        ({"components": 0}, "--components must be"),
        ({"split": "tset"}, "did you mean 'test'"),
    ],
)
def test_maps_that_make_no_sense_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        gallery.latent_map(opened(), **options)


def test_one_latent_makes_no_map():
    with pytest.raises(InputError, match="use vaesearch traverse"):
        gallery.latent_map(opened(latent_dim=1))


KINDS = {
    "samples": lambda t: gallery.sample(t, 5),
    "reconstructions": lambda t: gallery.reconstruct(t, range(5)),
    "expectations": lambda t: gallery.reconstruct(t, range(11), uncertainty=True),
    "traversal": lambda t: gallery.traverse(t),
    "interpolation": lambda t: gallery.interpolate(t, [1, 2]),
    "sheet": lambda t: gallery.interpolate(t, [1, 2, 3, 4]),
    "map": lambda t: gallery.latent_map(t, arrows=3),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_the_same_bit_by_bit_and_kept_as_arrays(tmp_path, kind, channels):
    trained = opened(likelihood="discretized-logistic:pixel", channels=channels)
    digests = []
    for name in ("a.png", "b.png"):
        gallery.write(KINDS[kind](trained), tmp_path / name)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1]
    made = KINDS[kind](trained)
    gallery.write(made, tmp_path / "deep" / "a.npz")
    with np.load(tmp_path / "deep" / "a.npz") as arrays:
        assert str(arrays["title"]) == made.title
        np.testing.assert_array_equal(arrays["latents"], made.latents)


def test_a_picture_has_room_for_so_many_only(tmp_path):
    many = gallery.Samples("many", np.zeros((4097, 1, 1, 1), np.uint8), np.zeros((4097, 1)))
    with pytest.raises(InputError, match=r"--out samples\.npz"):
        gallery.write(many, tmp_path / "a.png")
    gallery.write(many, tmp_path / "a.npz")
    assert (tmp_path / "a.npz").exists()


def test_the_model_is_left_as_it_was():
    trained = opened()
    gallery.sample(trained, 3, source="gmm")
    fresh = build_model(trained.arm.settings, trained.data.shape)
    for found, made in zip(trained.model.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(found, made)
    assert trained.model.aggregate is None
