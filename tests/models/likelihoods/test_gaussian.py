import math

import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.likelihoods import MIN_LOG_VARIANCE, GaussianLikelihood
from vaesearch.models.pixels import NormalPixels


@pytest.fixture
def batch():
    """Parameters of a decoder and the images they should have made."""
    generator = torch.Generator().manual_seed(3)
    parameters = torch.empty(6, 1, 4, 4).normal_(generator=generator)
    return parameters, torch.empty_like(parameters).uniform_(generator=generator)


def mse(parameters, x):
    return (torch.sigmoid(parameters) - x).square().mean()


def test_optimal_variance_is_the_mean_squared_error(batch):
    parameters, x = (t.double() for t in batch)
    mean = torch.sigmoid(parameters)

    def negative(log_variance):
        return -NormalPixels(mean, torch.tensor(log_variance)).log_prob(x).mean().item()

    found = minimize_scalar(negative, bounds=(-10, 5), method="bounded", options={"xatol": 1e-9})
    assert math.exp(found.x) == pytest.approx(mse(parameters, x).item(), rel=1e-6)
    fitted = GaussianLikelihood()(*batch).log_variance.exp().item()
    assert fitted == pytest.approx(mse(*batch).item(), rel=1e-6)


def test_gradients_do_not_depend_on_a_detached_variance(batch):
    """The objective is flat in its optimum (envelope theorem)."""
    x = batch[1]
    gradients = []
    for is_detached in (True, False):
        net = nn.Linear(4, 4)
        with torch.no_grad():
            net.weight.copy_(torch.eye(4))
            net.bias.zero_()
        output = net(batch[0])
        if is_detached:
            pixels = GaussianLikelihood()(output, fit_to=x)
        else:
            pixels = NormalPixels(torch.sigmoid(output), mse(output, x).log())
        pixels.log_prob(x).mean().backward()
        gradients.append(net.weight.grad)
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-6)


def test_evaluation_uses_the_average_of_the_training_batches(batch):
    parameters, x = batch
    likelihood = GaussianLikelihood()
    likelihood(parameters, fit_to=x)
    first = mse(parameters, x).log()
    # The first batch is the average so far, and not the initial value's neighbour.
    torch.testing.assert_close(likelihood.log_variance, first)
    likelihood(parameters, fit_to=1 - x)
    second = mse(parameters, 1 - x).log()
    torch.testing.assert_close(likelihood.log_variance, (first + second) / 2)
    for _ in range(200):
        likelihood(parameters, fit_to=x)
    torch.testing.assert_close(likelihood.log_variance, first)
    likelihood.eval()
    assert likelihood(parameters, fit_to=1 - x).log_variance == likelihood.log_variance
    assert likelihood.batches == 202


def test_average_is_saved_with_the_weights(batch):
    trained, fresh = GaussianLikelihood(), GaussianLikelihood()
    trained(*batch)
    fresh.load_state_dict(trained.state_dict())
    assert fresh.log_variance == trained.log_variance


def test_perfect_reconstruction_does_not_spoil_the_average(batch):
    likelihood = GaussianLikelihood()
    black = torch.full_like(batch[0], -200.0)  # a sigmoid of exactly 0
    assert likelihood(black, fit_to=torch.zeros_like(black)).log_variance == MIN_LOG_VARIANCE
    likelihood(*batch)
    assert likelihood.log_variance.isfinite()


@pytest.mark.parametrize(
    ("spec", "log_variance", "parameters"),
    [
        ("gaussian", 0.0, 0),
        ("gaussian:optimal", 0.0, 0),
        ("gaussian:learned", 0.0, 1),
        ("gaussian:0.1", math.log(0.1), 0),
        ("gaussian:variance=0.5", math.log(0.5), 0),
        ("discretized-normal", 0.0, 1),
    ],
)
def test_spec_says_where_the_variance_comes_from(spec, log_variance, parameters):
    likelihood = catalogue.build("likelihoods", spec)
    assert likelihood.log_variance.item() == pytest.approx(log_variance)
    assert len(list(likelihood.parameters())) == parameters


def test_variance_cannot_fall_below_half_a_level(batch):
    for spec in ("gaussian:1e-12", "gaussian:learned", "discretized-normal"):
        likelihood = catalogue.build("likelihoods", spec)
        with torch.no_grad():
            likelihood.log_variance.fill_(-50.0)
        assert likelihood(batch[0]).log_variance.item() == pytest.approx(MIN_LOG_VARIANCE)


@pytest.mark.parametrize("argument", ["nonsense", "0", "-1", "nan", "inf", "0.1,0.2", "colour=3"])
def test_bad_arguments_are_refused_in_words(argument):
    with pytest.raises(InputError, match="gaussian"):
        catalogue.build("likelihoods", f"gaussian:{argument}")
