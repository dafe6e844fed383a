"""How near each family of posteriors comes to targets that are known exactly.

See the figures with ``--log-cli-level=INFO``.
"""

import logging

import pytest
import torch
from densities import TARGETS, divergence, fitted

from vaesearch.models.latents import DiagonalGaussian, FullGaussian
from vaesearch.models.posteriors.full_covariance import cholesky_factor

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
STEPS = 3000


# On the crescents eight seeds of IAF came to 0.020 to 0.045, half of them below 0.037, and the
# seeds 0 to 2 of RealNVP to 0.011 to 0.017; on the banana all came to 0.005 or less.
@pytest.mark.parametrize("name_of_target", TARGETS)
def test_flows_come_nearer_to_bent_densities_than_gaussians(name_of_target):
    """Kong & Li's question, on the kind of targets that Rezende & Mohamed 2015 show."""
    names = ("gaussian", "full-covariance", "planar:8", "radial:8", "iaf:4,128", "realnvp:6,64")
    target, found = TARGETS[name_of_target], {}
    for name in names:
        found[name], _ = divergence(fitted(name, target), target)
        LOG.info("%s, %s: KL %.3f nats", name_of_target, name, found[name])
    assert found["planar:8"] <= 0.5 * found["gaussian"]
    assert found["radial:8"] <= 0.5 * found["gaussian"]
    assert found["iaf:4,128"] <= 0.05
    assert found["realnvp:6,64"] <= 0.05
    assert all(kl > -0.02 for kl in found.values())


@pytest.fixture(scope="module")
def linear_model():
    """x = W z + b + noise with z standard: its posteriors are Gaussian, of one covariance."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    offset = torch.randn(12, generator=generator, dtype=torch.float64)
    variance = 0.2
    z = torch.randn(200, 3, generator=generator, dtype=torch.float64)
    noise = torch.randn(200, 12, generator=generator, dtype=torch.float64)
    x = z @ weights.t() + offset + variance**0.5 * noise
    precision = torch.eye(3).double() + weights.t() @ weights / variance
    covariance = torch.linalg.inv(precision)
    mean = (x - offset) @ weights @ covariance / variance
    factor = torch.linalg.cholesky(covariance).expand(200, 3, 3)

    def log_joint(z):
        error = x - offset - z @ weights.t()
        return -0.5 * (error.square().sum(-1) / variance + z.square().sum(-1))

    return log_joint, FullGaussian(mean, factor), precision


def optimised(log_joint, q_of, parameters):
    """The q of each point that maximises its bound, by samples."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(parameters, lr=0.05)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / STEPS)
    for _ in range(STEPS):
        z, log_q = q_of().rsample_and_log_prob(generator, 8)
        optimizer.zero_grad()
        (log_q - log_joint(z)).mean(dim=0).sum().backward()
        optimizer.step()
        rate.step()
    return q_of()


def test_approximation_gap_is_in_closed_form(linear_model):
    """Cremer et al. 2018, section 3.1, where everything is known.

    The best diagonal Gaussian has variances 1 / precision_ii, so its gap is
    1/2 (sum of log precision_ii - log det precision), the same at every point.
    """
    log_joint, exact, precision = linear_model
    closed = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision)).item()
    shape = exact.mean.shape
    mean, log_variance, mixing = (torch.zeros(shape).double().requires_grad_() for _ in range(3))
    plain = optimised(
        log_joint, lambda: DiagonalGaussian(mean, log_variance), [mean, log_variance]
    )
    scale = torch.diag_embed(torch.exp(0.5 * plain.log_variance))
    diagonal = FullGaussian(plain.mean, scale).kl_to(exact).mean().item()
    mean, log_variance = (torch.zeros(shape).double().requires_grad_() for _ in range(2))
    full = optimised(
        log_joint,
        lambda: FullGaussian(mean, cholesky_factor(log_variance, mixing)),
        [mean, log_variance, mixing],
    )
    free = full.kl_to(exact).mean().item()
    LOG.info("gap: closed %.4f, diagonal %.4f, full covariance %.4f", closed, diagonal, free)
    assert diagonal == pytest.approx(closed, abs=0.02)
    assert 0 <= free <= 0.02
    assert closed > 0.05
