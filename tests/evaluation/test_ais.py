import math
from itertools import pairwise

import pytest
import torch
from linear_gaussian import LinearGaussianVAE

from vaesearch.errors import InputError
from vaesearch.evaluation.ais import annealed_importance, path_of_temperatures
from vaesearch.evaluation.bidirectional import bidirectional, simulate
from vaesearch.evaluation.hmc import STEP_RANGE, move, start_chains
from vaesearch.evaluation.joint import Joint, Point
from vaesearch.models.mixtures import FullGaussianMixture
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def linear():
    return LinearGaussianVAE()


@pytest.fixture
def x(linear):
    return linear.images(60, generator(1))


def errors(linear, x, temperatures, chains=16, **options):
    """Of the estimates, in nats, ``[B]``."""
    found = annealed_importance(
        Joint(linear, x), generator(), chains=chains, temperatures=temperatures, **options
    )
    return found.log_p - linear.log_evidence(x)


def standard_error(values):
    return (values.std() / len(values) ** 0.5).item()


@pytest.mark.parametrize("schedule", ["linear", "sigmoidal"])
def test_estimate_is_near_the_evidence(linear, x, schedule):
    error = errors(linear, x, 60, schedule=schedule)
    assert error.mean().abs() < 0.1
    assert error.std() < 0.5


@pytest.mark.slow
def test_more_temperatures_are_nearer_to_the_evidence(linear):
    """From short first steps, as Wu et al. 2017 start, fifty leave no time to adapt."""
    x = linear.images(100, generator(1))
    found = [errors(linear, x, count, first_step=0.01) for count in (50, 200, 1000)]
    means = [error.mean().abs().item() for error in found]
    assert means[0] > means[1] > means[2]
    assert errors(linear, x, 1000).mean().abs() < 0.1


def test_evidence_is_between_the_bounds_of_both_ways(linear):
    x = linear.images(120, generator(1))
    z = linear.exact_posterior(x).mean
    z = (
        z
        + torch.linalg.solve_triangular(
            torch.linalg.cholesky(linear.precision).T,
            torch.randn(3, 120, generator=generator(2)).double(),
            upper=True,
        ).T
    )  # a draw of the posterior
    bounds = bidirectional(linear, x, z, generator(), chains=4, temperatures=20)
    true = linear.log_evidence(x)
    below, above = true - bounds.lower.log_p, bounds.upper.log_p - true
    assert below.mean() > 2 * standard_error(below)
    assert above.mean() > 2 * standard_error(above)
    torch.testing.assert_close(bounds.gap, below + above)
    closer = bidirectional(linear, x, z, generator(), chains=4, temperatures=60)
    assert closer.gap.mean() < 0.7 * bounds.gap.mean()


def test_simulated_images_come_with_draws_of_their_posterior(linear):
    x, z = simulate(linear, 4000, generator())
    residual = (x - linear.decoder(z)).flatten(1)
    assert residual.var().item() == pytest.approx(0.002, rel=0.05)
    posterior = linear.exact_posterior(x)
    squares = torch.einsum("bi,ij,bj->b", z - posterior.mean, linear.precision, z - posterior.mean)
    assert squares.mean().item() == pytest.approx(3, abs=4 * 6**0.5 / 4000**0.5)


def test_moves_leave_the_posterior_as_it_is(linear):
    """Exact draws of p(z|x) remain so, whatever the step."""
    x = linear.images(1, generator(1))
    posterior = linear.exact_posterior(x)
    covariance = linear.precision.inverse()
    noise = torch.randn(4000, 3, generator=generator()).double()
    z = posterior.mean + noise @ torch.linalg.cholesky(covariance).T
    joint = Joint(linear, x)
    chains = start_chains(joint, z[:, None], 0.25)
    noise = generator(3)
    for _ in range(3):
        chains = move(joint, chains, 1.0, 4, noise)
    assert 0.2 < chains.acceptance.mean() < 0.95
    white = (chains.at.z[:, 0] - posterior.mean) @ torch.linalg.cholesky(linear.precision)
    assert white.mean(dim=0).abs().max() < 4 / 4000**0.5
    assert (white.square().mean(dim=0) - 1).abs().max() < 4 * (2 / 4000) ** 0.5


def test_moves_mix(linear):
    x = linear.images(1, generator(1))
    joint = Joint(linear, x)
    chains = start_chains(joint, torch.zeros(2000, 1, 3).double(), 0.1)
    noise = generator(1)
    for _ in range(30):
        chains = move(joint, chains, 1.0, 10, noise)
    mean = chains.at.z[:, 0].mean(dim=0)
    spread = linear.precision.inverse().diagonal().sqrt()
    assert ((mean - linear.exact_posterior(x).mean[0]).abs() < 4 * spread / 2000**0.5).all()


def test_steps_adapt_for_each_chain_within_their_range(linear, x):
    joint = Joint(linear, x)
    noise = generator(1)
    first = start_chains(joint, torch.zeros(3, len(x), 3).double(), 0.3)
    one = move(joint, first, 1.0, 5, noise)
    assert set(one.accepted.flatten().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(one.step, torch.where(one.accepted > 0, 0.306, 0.294).double())
    two = move(joint, one, 1.0, 5, noise)  # one of two is less than .65
    growth = torch.where(two.accepted == 2, 1.02, 0.98).double()
    torch.testing.assert_close(two.step, one.step * growth)
    long = start_chains(joint, torch.zeros(3, len(x), 3).double(), 0.5)
    assert (move(joint, long, 0.0, 1, generator()).step <= STEP_RANGE[1]).all()


def test_a_trajectory_that_leaves_the_numbers_is_refused(linear, x):
    joint = Joint(linear, x)
    chains = start_chains(joint, torch.zeros(2, len(x), 3).double(), 1e200)
    moved = move(joint, chains, 1.0, 3, generator())
    assert (moved.accepted == 0).all()
    assert torch.equal(moved.at.z, chains.at.z)


def test_slopes_are_those_of_the_densities(linear, x):
    joint = Joint(linear, x, chunk=7)
    z = torch.randn(4, len(x), 3, generator=generator()).double()
    found = joint.point(z)
    torch.testing.assert_close(found.prior_slope, -z)
    noise = 0.002
    residual = x.flatten(1) - linear.bias - z @ linear.weight.T
    torch.testing.assert_close(found.likelihood_slope, residual @ linear.weight / noise)
    torch.testing.assert_close(found.log_density(1.0), joint(z))
    half = found.prior_slope + 0.5 * found.likelihood_slope
    torch.testing.assert_close(found.slope(0.5), half)


def test_chunks_change_nothing(linear, x):
    """In float64; in float32 a rounding error may now and then decide over a proposal."""
    found = []
    for chunk in (1, 7, 1000):
        g = generator()
        joint = Joint(linear, x[:8], chunk=chunk)
        found.append((annealed_importance(joint, g, chains=3, temperatures=8), g.get_state()))
    for annealed, state in found[1:]:
        torch.testing.assert_close(annealed.log_p, found[0][0].log_p, rtol=1e-9, atol=1e-9)
        assert torch.equal(state, found[0][1])


def test_same_generator_same_figures(linear, x):
    assert torch.equal(errors(linear, x, 5), errors(linear, x, 5))


def test_gradients_are_as_many_as_asked_for(linear, x):
    rows = []
    linear.decoder.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    annealed_importance(Joint(linear, x), generator(), chains=2, temperatures=6, leapfrogs=3)
    assert rows == [2 * len(x)] * (1 + 4 * 3)  # at the start, and four moves between six


def test_mixture_for_the_prior(linear, x):
    """Of one Gaussian, so that the evidence is known: N(b + W m, W S W' + noise)."""
    mean, factor = torch.tensor([0.5, -1.0, 0.2]), torch.diag(torch.tensor([0.5, 1.0, 2.0]))
    prior = FullGaussianMixture(torch.ones(1), mean[None], factor[None] @ factor)
    joint = Joint(linear, x, prior=prior)
    found = annealed_importance(joint, generator(), chains=16, temperatures=60).log_p
    stretched = linear.weight @ factor.double()
    spread = stretched @ stretched.T + 0.002 * torch.eye(12).double()
    centre = linear.bias + linear.weight @ mean.double()
    true = torch.distributions.MultivariateNormal(centre, spread).log_prob(x.flatten(1))
    assert (found - true).mean().abs() < 0.2


@pytest.mark.parametrize("prior", ["vampprior:5", "ladder:2"])
def test_any_prior_that_can_be_drawn_from(prior):
    posterior = prior if prior.startswith("ladder") else "gaussian"
    settings = TrialSettings(
        "mlp", encoder="mlp", latent_dim=2, width=1 / 32, likelihood="bernoulli", prior=prior,
        posterior=posterior,
    )  # fmt: skip
    model = build_model(settings, (1, 4, 4)).eval().requires_grad_(False)
    x = torch.randint(0, 2, (5, 1, 4, 4), generator=generator()).float()
    found = annealed_importance(Joint(model, x), generator(), chains=20, temperatures=30)
    z = model.latent_prior().sample(20_000, generator(1))
    log_p = Joint(model, x).log_likelihood(z[:, None].expand(-1, 5, -1)).logsumexp(dim=0)
    torch.testing.assert_close(found.log_p, log_p - math.log(20_000), rtol=0, atol=0.1)


def test_schedules():
    assert path_of_temperatures(5) == [0, 0.25, 0.5, 0.75, 1]
    curve = path_of_temperatures(101, "sigmoidal")
    assert (curve[0], curve[50], curve[100]) == (0, pytest.approx(0.5), 1)
    steps = [after - before for before, after in pairwise(curve)]
    assert max(steps) == pytest.approx(steps[50])
    assert steps[0] == pytest.approx(steps[-1])
    assert 0 < steps[0] < steps[50] / 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"temperatures": 2},
            "temperatures of annealed importance sampling must be .* at least 3",
        ),
        ({"chains": 0}, "chains of annealed importance sampling must be .* at least 1"),
        ({"leapfrogs": 1.5}, "leapfrogs of annealed importance sampling must be a whole"),
        ({"schedule": "sigmoid"}, "did you mean 'sigmoidal'"),
    ],
)
def test_settings_out_of_range_are_refused(linear, x, options, message):
    with pytest.raises(InputError, match=message):
        annealed_importance(Joint(linear, x), None, **{"chains": 2, "temperatures": 5, **options})


def test_a_point_has_no_graph(linear, x):
    point = Joint(linear, x).point(torch.zeros(1, len(x), 3).double())
    assert not any(getattr(point, name).requires_grad for name in Point.__dataclass_fields__)
