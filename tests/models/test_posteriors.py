"""What every posterior must do, and what each promises of itself."""

import math

import pytest
import torch
from torch.distributions import Normal

from vaesearch import catalogue
from vaesearch.config import Config
from vaesearch.errors import InputError
from vaesearch.models.latents import (
    AuxiliaryFlow,
    DiagonalGaussian,
    Flow,
    GaussianPosterior,
    has_density,
)
from vaesearch.models.posteriors import LOG_VARIANCE_RANGE, DiagonalGaussianPosterior
from vaesearch.models.posteriors.full_covariance import cholesky_factor
from vaesearch.models.posteriors.planar import planar_steps
from vaesearch.models.posteriors.radial import radial_steps
from vaesearch.models.vae import VAE, build_model, count_parameters
from vaesearch.objectives import Loss
from vaesearch.records import TrialSettings

FLOWS = ["planar:4", "radial:4", "iaf:3,16"]
WITH_DENSITY = ["gaussian", "full-covariance", *FLOWS]
ALL = [*WITH_DENSITY, "realnvp:2,16"]
FEATURES, IMAGES = 6, 5


def built(name, latent_dim=4, strength=1.0, dtype=torch.float32):
    """All weights ``strength`` times as large as at the start, and those that are 0 random."""
    torch.manual_seed(0)
    posterior = catalogue.build("posteriors", name, features=FEATURES, latent_dim=latent_dim)
    with torch.no_grad():
        for p in posterior.parameters():
            p.mul_(strength)
            p[p == 0] = 0.3 * torch.randn(int((p == 0).sum()))
    return posterior.to(dtype)


@pytest.fixture
def features():
    return torch.randn(IMAGES, FEATURES, generator=torch.Generator().manual_seed(1))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("count", [None, 3])
@pytest.mark.parametrize("name", ALL)
def test_a_sample_follows_the_generator_and_comes_with_its_density(name, count, features):
    q = built(name)(features)
    z, log_q = q.rsample_and_log_prob(generator(), count)
    leading = () if count is None else (count,)
    assert z.shape == (*leading, IMAGES, 4)
    assert log_q.shape == (*leading, IMAGES)
    assert torch.equal(z, q.rsample(generator(), count))
    assert not torch.equal(z, q.rsample(generator(1), count))
    assert q.mean.shape == (IMAGES, 4)
    assert has_density(q) == (name in WITH_DENSITY)


@pytest.mark.parametrize("strength", [1, 3])
@pytest.mark.parametrize("name", WITH_DENSITY)
def test_the_density_of_a_sample_is_the_density_at_that_point(name, strength, features):
    q = built(name, strength=strength, dtype=torch.float64)(features.double())
    z, log_q = q.rsample_and_log_prob(generator(), 7)
    assert log_q.dtype == torch.float64
    torch.testing.assert_close(q.log_prob(z), log_q, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", WITH_DENSITY)
def test_the_density_integrates_to_one(name, features):
    q = built(name, latent_dim=2, strength=3, dtype=torch.float64)(features[:1].double())
    draws = q.rsample(generator(), 2000)[:, 0].detach()
    low, high = draws.amin(dim=0) - 6, draws.amax(dim=0) + 6
    sides = [
        torch.linspace(float(a), float(b), 400).double() for a, b in zip(low, high, strict=True)
    ]
    cell = math.prod(float(side[1] - side[0]) for side in sides)
    with torch.no_grad():
        density = q.log_prob(torch.cartesian_prod(*sides).unsqueeze(1)).exp()
    assert density.sum().item() * cell == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("name", [*FLOWS, "realnvp:2,16"])
def test_other_images_have_other_maps(name, features):
    q = built(name)(features)
    steps = q.joint.steps if isinstance(q, AuxiliaryFlow) else q.steps
    dims = 8 if isinstance(q, AuxiliaryFlow) else 4
    for step in steps:
        there, log_det = step(torch.ones(IMAGES, dims))
        assert len(torch.unique(log_det)) == IMAGES
        assert len(torch.unique(there, dim=0)) == IMAGES


@pytest.mark.parametrize("name", ALL)
def test_the_bound_trains_every_parameter(name):
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=4, width=1 / 16, batch_size=8, posterior=name
    )
    model = build_model(settings, (1, 8, 8))
    x = torch.rand(8, 1, 8, 8, generator=generator())
    Loss(settings)(model, x, generator()).backward()
    for parameter_name, p in model.posterior.named_parameters():
        assert p.grad is not None, parameter_name
        assert p.grad.isfinite().all(), parameter_name
        assert (p.grad != 0).any(), parameter_name


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", ALL)
def test_wild_features_make_a_bad_step_and_no_infinity(name, sign):
    posterior = built(name)
    q = posterior(torch.full((2, FEATURES), sign * 1e6))
    z, log_q = q.rsample_and_log_prob(generator(), 3)
    kl = log_q + 0.5 * z.square().sum(dim=-1)
    assert kl.isfinite().all()
    kl.sum().backward()
    assert all(p.grad.isfinite().all() for p in posterior.parameters())
    if name in WITH_DENSITY:
        assert q.log_prob(z.detach()).isfinite().all()


@pytest.mark.parametrize("name", ALL)
def test_half_precision_features_make_single_precision_densities(name, features):
    posterior = built(name)
    with torch.autocast("cpu", torch.bfloat16):
        q = posterior(features.bfloat16())
    z, log_q = q.rsample_and_log_prob(generator())
    assert z.dtype == log_q.dtype == q.mean.dtype == torch.float32
    if name in WITH_DENSITY:
        torch.testing.assert_close(q.log_prob(z), log_q, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("latent_dim", [1, 5])
@pytest.mark.parametrize("name", ALL)
def test_models_can_be_built_and_run_without_memory(name, latent_dim):
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=latent_dim, width=1 / 16, posterior=name
    )
    with torch.device("meta"):
        model = VAE(settings, (1, 8, 8))
        q = model.encode(torch.rand(3, 1, 8, 8))
        z, _ = q.rsample_and_log_prob()
        assert all(t.is_meta for t in (z, q.mean, *model.parameters(), *model.buffers()))
        if name in WITH_DENSITY:
            assert q.log_prob(z).is_meta
    real = build_model(settings, (1, 8, 8))
    count = sum(p.numel() for p in real.parameters())
    assert count_parameters(settings, (1, 8, 8)) == count


def test_gaussian_has_two_linear_heads(features):
    posterior = DiagonalGaussianPosterior(features=FEATURES, latent_dim=3)
    assert sum(p.numel() for p in posterior.parameters()) == 2 * (FEATURES * 3 + 3)
    q = posterior(features)
    assert torch.equal(q.mean, posterior.mean(features))
    assert torch.equal(q.log_variance, posterior.log_variance(features))


def test_log_variance_has_bounds():
    posterior = DiagonalGaussianPosterior(features=FEATURES, latent_dim=3)
    for sign in (-1, 1):
        q = posterior(torch.full((2, FEATURES), sign * 1e6))
        assert q.log_variance.min() >= LOG_VARIANCE_RANGE[0]
        assert q.log_variance.max() <= LOG_VARIANCE_RANGE[1]
        assert q.kl_to_standard().isfinite().all()


def test_full_covariance_starts_diagonal_with_the_variances_of_its_head(features):
    posterior = catalogue.build("posteriors", "full-covariance", features=FEATURES, latent_dim=3)
    covariance = posterior(features).covariance()
    assert torch.equal(covariance, torch.diag_embed(covariance.diagonal(dim1=1, dim2=2)))
    log_variance = posterior.heads(features)[:, 3:6]
    torch.testing.assert_close(covariance.diagonal(dim1=1, dim2=2), log_variance.exp())


def test_cholesky_factor_has_the_variances_and_any_correlation():
    log_variance = torch.tensor([[0.0, 1.0, -2.0]])
    factor = cholesky_factor(log_variance, torch.tensor([[2.0, -1.0, 0.5]]))
    assert torch.equal(factor, factor.tril())
    covariance = factor @ factor.mT
    torch.testing.assert_close(covariance.diagonal(dim1=1, dim2=2), log_variance.exp())
    correlation = covariance[0, 0, 1] / (covariance[0, 0, 0] * covariance[0, 1, 1]).sqrt()
    assert correlation.item() == pytest.approx(2 / math.sqrt(5))


@pytest.mark.parametrize("make", [planar_steps, radial_steps])
def test_a_flow_of_no_steps_is_its_base_bit_by_bit(make, features):
    base = DiagonalGaussianPosterior(features=FEATURES, latent_dim=4)(features)
    q = Flow(base, make(torch.zeros(IMAGES, 0, 9)))
    assert torch.equal(q.mean, base.mean)
    for count in (None, 3):
        for own, other in zip(
            q.rsample_and_log_prob(generator(), count),
            base.rsample_and_log_prob(generator(), count),
            strict=True,
        ):
            assert torch.equal(own, other)
    z = q.rsample(generator())
    assert torch.equal(q.log_prob(z), base.log_prob(z))


@pytest.mark.parametrize("name", ["planar:8", "radial:8"])
def test_simple_flows_start_near_the_identity(name, features):
    torch.manual_seed(0)
    q = catalogue.build("posteriors", name, features=FEATURES, latent_dim=4)(features)
    moved = (q.mean - q.base.mean).abs().mean()
    assert 0 < moved < 0.5 * q.base.log_variance.mul(0.5).exp().mean()


@pytest.mark.parametrize("name", [*FLOWS, "realnvp:2,16"])
def test_asking_whether_a_flow_is_gaussian_does_not_run_it(name, features):
    q = built(name)(features)
    assert not isinstance(q, GaussianPosterior)
    assert "mean" not in vars(q)
    assert q.mean is q.mean


@pytest.mark.parametrize(("make", "size"), [(planar_steps, 5), (radial_steps, 4)])
def test_entropy_is_that_of_a_histogram(make, size):
    base = DiagonalGaussian(torch.zeros(1, 2), torch.zeros(1, 2))
    q = Flow(base, make(1.5 * torch.randn(1, 6, size, generator=generator(1))))
    with torch.no_grad():
        z, log_q = q.rsample_and_log_prob(generator(), 400_000)
    low, high = z.amin(dim=(0, 1)), z.amax(dim=(0, 1))
    bins = ((z[:, 0] - low) / (high - low) * 200).long().clamp(max=199)
    share = torch.bincount(bins[:, 0] * 200 + bins[:, 1]) / len(z)
    cell = (high - low).prod() / 200**2
    share = share[share > 0]
    of_histogram = -(share * (share / cell).log()).sum()
    assert of_histogram.item() == pytest.approx(-log_q.mean().item(), abs=0.05)
    # So bent that no Gaussian would do.
    gaussian = 0.5 * torch.logdet(2 * math.pi * math.e * torch.cov(z[:, 0].t()))
    assert gaussian.item() > -log_q.mean().item() + 0.1


@pytest.mark.parametrize(("context", "is_shared"), [(0, True), (8, False)])
def test_autoregressive_maps_are_told_of_the_image_unless_asked_not_to(
    context, is_shared, features
):
    q = built(f"iaf:3,16,{context}")(features)
    z = torch.randn(1, 4, generator=generator()).expand(IMAGES, 4)
    for step in q.steps:
        moved, log_det = step(z)
        assert torch.equal(moved[:1].expand_as(moved), moved) is is_shared
        assert torch.equal(log_det[:1].expand_as(log_det), log_det) is is_shared
    z, log_q = q.rsample_and_log_prob(generator(), 3)
    torch.testing.assert_close(q.log_prob(z), log_q, rtol=1e-4, atol=1e-4)


def test_zuko_leaves_the_checks_of_distributions_on():
    built("iaf:1,16")
    with pytest.raises(ValueError, match="scale"):
        Normal(0.0, -1.0)


@pytest.mark.parametrize("steps", ["0", "-1", "1.5", "x", "steps=0"])
@pytest.mark.parametrize("name", ["planar", "radial", "iaf", "realnvp"])
def test_depth_is_a_whole_number_above_zero(name, steps):
    with pytest.raises(InputError, match="must be a whole number, at least 1, not"):
        Config(posterior=f"{name}:{steps}")
    with pytest.raises(InputError, match="must be a whole number, at least 1, not"):
        catalogue.build("posteriors", f"{name}:{steps}", features=3, latent_dim=2)


@pytest.mark.parametrize(
    "spec", ["planar:8,3", "iaf:4,0", "realnvp:hidden=0", "iaf:depth=2", "iaf:context=-1"]
)
def test_other_arguments_are_refused_in_words(spec):
    with pytest.raises(InputError, match=spec.partition(":")[0]):
        catalogue.build("posteriors", spec, features=3, latent_dim=2)


def test_consistency_needs_a_density():
    with pytest.raises(InputError, match=r"--alpha 1 compares densities .* realnvp:2 has none"):
        Config(posterior="realnvp:2", alpha=1.0)
    Config(posterior="realnvp:2")
    Config(posterior="iaf:2", alpha=1.0)
