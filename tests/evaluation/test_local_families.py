"""Posteriors with free parameters for each image: where they start, and what their maps are."""

import pytest
import torch
from linear_gaussian import LinearGaussianVAE

from vaesearch.evaluation.joint import Joint
from vaesearch.evaluation.local import Ascent, local_family
from vaesearch.evaluation.local.flows import Frame, couplings_of, local_flow
from vaesearch.evaluation.local.gaussians import diagonal_of, full_of
from vaesearch.evaluation.local.search import ascend, log_weights
from vaesearch.models.latents import DiagonalGaussian, FullGaussian
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

FAMILIES = ["gaussian", "full-covariance", "planar:3", "radial:3", "iaf:2,16,8", "realnvp:2,16"]


def model_of(posterior):
    prior = "ladder:2" if posterior.startswith("ladder") else "standard"
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=3, width=1 / 32, posterior=posterior, prior=prior
    )
    model = build_model(settings, (1, 8, 8), seed=1).eval().requires_grad_(False)
    with torch.no_grad():  # away from the start, where maps are near the identity
        for parameter in model.posterior.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator(2)), alpha=0.3)
    return model


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def x():
    return torch.randint(0, 256, (4, 1, 8, 8), generator=generator(3)) / 255


@pytest.mark.parametrize("posterior", [*FAMILIES, "iaf:2,context=0", "ladder:2"])
def test_family_starts_as_the_encoder_has_it(posterior, x):
    model = model_of(posterior)
    q, local = model.encode(x), local_family(model, x)
    for count in (None, 5):
        z, log_q = q.rsample_and_log_prob(generator(), count)
        found, found_log_q = local().rsample_and_log_prob(generator(), count)
        torch.testing.assert_close(found, z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found_log_q, log_q, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(local().mean, q.mean, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("posterior", [*FAMILIES, "ladder:2"])
def test_images_are_optimised_on_their_own(posterior, x):
    """The gradient of one image's bound is 0 in the parameters of all others."""
    model = model_of(posterior)
    local = local_family(model, x)
    z, log_q = local().rsample_and_log_prob(generator(), 2)
    (Joint(model, x)(z) - log_q).sum(dim=0)[1].backward()
    parameters = [p for p in local.parameters() if p.requires_grad]
    assert any(p.grad[1].abs().sum() > 0 for p in parameters)
    others = torch.tensor([True, False, True, True])
    for parameter in parameters:
        assert len(parameter) == len(x)
        if parameter.grad is not None:
            assert parameter.grad[others].abs().sum() == 0


@pytest.mark.parametrize("posterior", FAMILIES)
def test_model_is_left_as_it_was(posterior, x):
    model = model_of(posterior)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    local = local_family(model, x)
    ascend(local, Joint(model, x), generator(), Ascent(window=3, most=3))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert not torch.equal(local().mean, model.encode(x).mean)


def test_autoregressive_copies_keep_their_order(x):
    """After an ascent the Jacobian of each step is still triangular, as the masks say."""
    model = model_of("iaf:2,16,8")
    local = local_family(model, x)
    ascend(local, Joint(model, x), generator(), Ascent(window=20, most=20, slow_rate=0.05))
    for step in local().steps:
        z = torch.randn(4, 3, generator=generator(5))
        jacobian = torch.autograd.functional.jacobian(lambda z, step=step: step(z)[0].sum(0), z)
        for place, latent in enumerate(step.order):
            later = list(step.order[place + 1 :])
            assert jacobian[latent][:, later].abs().sum() == 0


def test_flow_starts_as_the_gaussian_it_is_given(x):
    """Exactly: the couplings are the identity and the reverse model is q(v|x)."""
    factor = torch.eye(3).expand(4, 3, 3) * 0.5
    factor = factor + torch.randn(4, 3, 3, generator=generator()).tril(-1)
    gaussian = FullGaussian(torch.randn(4, 3, generator=generator(1)), factor)
    flow = local_flow(gaussian, generator(2), steps=2, hidden=7)
    z, log_q = flow().rsample_and_log_prob(generator(3), 6)
    torch.testing.assert_close(log_q, gaussian.log_prob(z), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(flow().mean, gaussian.mean)


def test_couplings_can_start_as_a_gaussian(x):
    factor = torch.randn(4, 3, 3, generator=generator()).double().tril()
    factor.diagonal(dim1=1, dim2=2).abs_().add_(0.3)
    gaussian = FullGaussian(torch.randn(4, 3, generator=generator(1)).double(), factor)
    couplings = couplings_of(gaussian, generator(2), steps=2, hidden=9)
    z, log_q = couplings().rsample_and_log_prob(generator(3), 50_000)
    torch.testing.assert_close(log_q, gaussian.log_prob(z))
    for image in range(4):
        found, exact = z[:, image].T.cov(), gaussian.covariance()[image]
        assert (found - exact).abs().max() < 0.03 * exact.abs().max()
    assert couplings_of(gaussian, generator(2), steps=2, hidden=5) is None


def test_frame_is_undone_and_knows_its_determinant():
    factor = torch.randn(2, 3, 3, generator=generator()).double().tril()
    factor.diagonal(dim1=1, dim2=2).abs_().add_(0.5)
    frame = Frame(FullGaussian(torch.randn(2, 3, generator=generator(1)).double(), factor))
    both = torch.randn(5, 2, 6, generator=generator(2)).double()
    there, log_det = frame(both)
    back, same = frame.inverse(there)
    torch.testing.assert_close(back, both)
    torch.testing.assert_close(log_det, same)
    torch.testing.assert_close(log_det[0], torch.linalg.slogdet(factor)[1])


@pytest.mark.parametrize("posterior", ["gaussian", "full-covariance", "planar:3"])
def test_gaussian_start_has_the_moments_of_the_posterior(posterior, x):
    q = model_of(posterior).encode(x)
    with torch.no_grad():
        found = diagonal_of(q, generator())
        samples = q.rsample(generator(1), 20_000)
    spread = samples.std(dim=0)
    assert ((found.mean - samples.mean(dim=0)).abs() < 0.2 * spread).all()
    assert (found.log_variance.exp() / spread.square() - 1).abs().max() < 0.3


def test_full_of_a_diagonal_gaussian_is_the_same():
    q = DiagonalGaussian(torch.tensor([[1.0, -1.0]]), torch.tensor([[0.3, -2.0]]))
    z = torch.randn(5, 1, 2, generator=generator())
    torch.testing.assert_close(full_of(q).log_prob(z), q.log_prob(z))


def test_paired_samples_mirror_each_other(x):
    for posterior in ("gaussian", "full-covariance"):
        local = local_family(model_of(posterior), x)
        z = local(paired=True).rsample(generator(), 6)
        torch.testing.assert_close(z[:3] + z[3:], 2 * local().mean.expand(3, -1, -1))
        with pytest.raises(ValueError, match="even number"):
            local(paired=True).rsample(generator(), 5)


def test_auxiliary_bound_of_a_flow_is_below_the_evidence():
    """With any reverse model; a loose one costs what it is off by."""
    model = LinearGaussianVAE()
    images = model.images(20, generator())
    exact = model.exact_posterior(images)
    gaussian = FullGaussian(exact.mean, torch.linalg.cholesky(exact.covariance_matrix))
    flow = local_flow(gaussian, generator(1), steps=1, hidden=5)
    joint, evidence = Joint(model, images), model.log_evidence(images)
    exactly = log_weights(flow(), joint, generator(2), 10)
    torch.testing.assert_close(exactly, evidence.expand(10, -1), rtol=0, atol=1e-9)
    with torch.no_grad():
        flow.reverse.biases[-1][:, 3:] += 0.5  # log-variances of r: KL is 0.053 for each of three
    loose = log_weights(flow(), joint, generator(2), 4000).mean(dim=0)
    expected = 3 * 0.5 * (0.5 + torch.tensor(-0.5).exp() - 1)
    torch.testing.assert_close(
        (evidence - loose).mean().item(), expected.item(), rtol=0, atol=5e-3
    )


def test_posterior_of_ones_own_has_no_local_form(x):
    class Own:
        mean = torch.zeros(4, 3)

    model = model_of("gaussian")
    model.posterior = torch.nn.Module()
    model.posterior.forward = lambda features: Own()
    assert local_family(model, x) is None
