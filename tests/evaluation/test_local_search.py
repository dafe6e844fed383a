"""Ascents against closed forms, and what they must not depend on."""

import pytest
import torch
from linear_gaussian import LinearGaussianVAE

from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.local import Ascent, core, improve, local_family, log_weights
from vaesearch.evaluation.local.gaussians import LocalGaussian
from vaesearch.evaluation.local.optima import optima
from vaesearch.evaluation.local.search import DRAWN, ascend, keep_better
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings
from vaesearch.seeding import torch_generator

IMAGES = 12


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def streams(name):
    return generator(len(name))


def linear(posterior="gaussian", **changes):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LinearGaussianVAE(posterior, **changes)


def best(model, x, ascent=None):
    local, course = improve(local_family(model, x), Joint(model, x), streams, ascent or Ascent())
    return local, course


def lack(model, x, q):
    """log p(x) - L[q], ``[B]``."""
    return model.log_evidence(x) - log_weights(q, Joint(model, x), generator(9), 2000).mean(dim=0)


@pytest.fixture(scope="module")
def x():
    return linear().images(IMAGES, generator(1))


@pytest.fixture(scope="module")
def diagonal(x):
    return best(linear(), x)


def test_diagonal_gaussian_reaches_its_closed_form(diagonal, x):
    """Mean of p(z|x), variances 1 / Λ_ii, and the same gap for every image."""
    model, q = linear(), diagonal[0]()
    exact = model.exact_posterior(x)
    spread = model.precision.diagonal().rsqrt()
    assert ((q.mean - exact.mean) / spread).abs().max() < 0.15
    assert (q.log_variance - 2 * spread.log()).abs().max() < 0.2
    gaps = lack(model, x, q)
    assert gaps.mean().item() == pytest.approx(model.approximation_gap, abs=0.02)
    assert gaps.std() < 0.05


def test_diagonal_gaussian_is_exact_where_the_posterior_is_one(x):
    model = linear(diagonal=True)
    local, _ = best(model, x)
    assert lack(model, x, local()).mean().abs() < 0.02


def test_full_covariance_reaches_the_evidence(x):
    model = linear("full-covariance", error=0.1)
    local, _ = best(model, x)
    assert lack(model, x, local()).mean().abs() < 0.02


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("posterior", ["planar:4", "planar:8", "iaf:2,16,8", "realnvp:2,16"])
def test_flows_reach_the_evidence(posterior):
    """RealNVP by its second start: from the encoder it ends as the diagonal Gaussian."""
    model = linear(posterior)
    x = model.images(50, generator(1))

    def stream(*path):
        return torch_generator(0, *path)

    found = optima(model, Joint(model, x), stream, flow=0, hidden=50, most=3000)
    assert lack(model, x, found.best["ffg"]()).mean() > 0.15
    assert lack(model, x, found.best["local"]()).mean().abs() < 0.02


def test_no_image_gets_worse(diagonal, x):
    before, after = lack(linear(), x, linear().encode(x)), lack(linear(), x, diagonal[0]())
    assert (after < before).all()


def test_optimum_as_start_is_kept_where_the_ascent_does_not_help(x):
    """Steps far too long, from the best diagonal Gaussian on."""
    model = linear(error=0.0, widening=0.0)
    wild = Ascent(rate=20.0, window=5, most=5)
    local, _ = best(model, x, wild)
    q = model.encode(x)
    torch.testing.assert_close(local().mean, q.mean)
    torch.testing.assert_close(local().log_variance, q.log_variance)


def test_the_same_twice(diagonal, x):
    again, course = best(linear(), x)
    assert torch.equal(again().mean, diagonal[0]().mean)
    assert course == diagonal[1]


def test_chunks_change_nothing(x):
    model, short, found = linear(), Ascent(most=100), []
    for chunk in (None, 7):
        start = local_family(model, x)
        found.append(improve(start, Joint(model, x, chunk=chunk), streams, short))
    (one, course), (other, same) = found
    torch.testing.assert_close(other().mean, one().mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(other().log_variance, one().log_variance, rtol=0, atol=1e-6)
    assert same.steps == course.steps


def test_images_together_as_each_alone(monkeypatch):
    """With the same noise for an image it does not matter which others there are."""
    model = linear()
    x = model.images(3, generator(1))
    noise = torch.randn(40, 2, 1, 3, generator=generator(5)).double()

    def climbed(images):
        draws = iter(noise)

        def same_for_all(like, generator, count):
            half = next(draws).expand(2, *like.shape)
            return torch.cat([half, -half])

        monkeypatch.setattr(core, "paired_noise", same_for_all)
        local = local_family(model, images)
        ascend(local, Joint(model, images), generator(), Ascent(window=40, most=40))
        return local().mean

    together = climbed(x)
    for nth in range(3):
        torch.testing.assert_close(climbed(x[nth : nth + 1])[0], together[nth])
    assert (together - model.encode(x).mean).abs().min() > 1e-3


def test_as_many_samples_as_asked_for(x):
    model = linear()
    q, joint = model.encode(x), Joint(model, x)
    for samples in (1, DRAWN, DRAWN + 3):
        found = log_weights(q, joint, generator(), samples)
        assert found.shape == (samples, IMAGES)
        assert len(found.unique(dim=0)) == samples


def test_each_image_keeps_the_better_of_two(x):
    model = linear()
    good, bad = model.encode(x), linear(error=1.0).encode(x)
    half = torch.arange(IMAGES) % 2 == 0
    mixed = [torch.where(half.unsqueeze(1), *pair) for pair in
             ((good.mean, bad.mean), (bad.mean, good.mean))]  # fmt: skip
    one, other = (LocalGaussian(DiagonalGaussian(mean, good.log_variance)) for mean in mixed)
    keep_better(one, other, Joint(model, x), streams)
    torch.testing.assert_close(one().mean, good.mean)


def test_ascent_ends_after_its_falls_or_its_steps(x):
    model = linear()
    local = local_family(model, x)
    course = ascend(local, Joint(model, x), generator(), Ascent(window=10, most=25))
    assert course.steps == 30  # whole windows
    still = ascend(local, Joint(model, x), generator(), Ascent(rate=1e-12, window=5, falls=2))
    best, falls = -float("inf"), 0
    for bound in still.bounds:
        falls += bound <= best
        best = max(best, bound)
    assert falls == 2
    assert still.bounds[-1] < max(still.bounds)


def test_image_that_leaves_the_numbers_spoils_no_other(x):
    model = linear()
    start = model.encode(x)
    start.mean[3] = float("nan")
    local, course = improve(LocalGaussian(start), Joint(model, x), streams, Ascent(most=200))
    assert all(bound == bound for bound in course.bounds)
    others = torch.arange(IMAGES) != 3
    assert lack(model, x, local())[others].mean() < 0.4


def test_float32_and_a_network():
    """Real precision, a decoder that is not linear: the bound rises, in chunks as at once."""
    settings = TrialSettings("mlp", encoder="mlp", latent_dim=3, width=1 / 32)
    model = build_model(settings, (1, 8, 8), seed=1).eval().requires_grad_(False)
    images = torch.randint(0, 256, (6, 1, 8, 8), generator=generator(3)) / 255
    found = []
    for chunk in (10, 1000):
        joint = Joint(model, images, chunk=chunk)
        local, _ = improve(local_family(model, images), joint, streams, Ascent(most=50))
        found.append(log_weights(local(), joint, generator(9), 50).mean(dim=0))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=0)
    start = log_weights(model.encode(images), joint, generator(9), 50).mean(dim=0)
    assert (found[0] >= start - 1e-3).all()
    assert found[0].mean() > start.mean()
