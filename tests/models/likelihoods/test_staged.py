import copy
import math

import pytest
import torch
from torch.distributions import Independent, Normal

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.likelihoods import StagedGaussianLikelihood
from vaesearch.models.vae import build_model
from vaesearch.records import Arm, TrialSettings
from vaesearch.training import TrialState, make_optimizer, new_state, train_epoch

SHAPE = (1, 8, 8)


@pytest.fixture
def batch():
    """Maps of a decoder for two means and two variances per pixel, and images."""
    generator = torch.Generator().manual_seed(3)
    maps = torch.empty(6, 4, 5, 5).normal_(generator=generator)
    return maps, torch.empty(6, 2, 5, 5).uniform_(generator=generator)


def after(likelihood, losses):
    for loss in losses:
        likelihood.end_epoch(loss)
    return int(likelihood.stage)


def test_first_stage_is_one_variance_for_all_pixels(batch):
    maps, x = batch
    staged = StagedGaussianLikelihood()
    plain = catalogue.build("likelihoods", "gaussian:learned")
    with torch.no_grad():
        staged.log_variance.fill_(-2.0)
        plain.log_variance.fill_(-2.0)
    assert torch.equal(staged(maps).log_prob(x), plain(maps[:, :2]).log_prob(x))


@pytest.mark.parametrize(
    ("arguments", "losses", "stages"),
    [
        ({"first": 3}, [9, 8, 7, 6], [1, 1, 2, 2]),
        ({"first": 1}, [9, 8], [2, 2]),
        # Without progress: twice in a row, and only then.
        ({"patience": 2}, [9, 9, 8, 8, 8], [1, 1, 1, 1, 2]),
        ({"patience": 1}, [9, 9.5], [1, 2]),
        # Small steps are none, however many.
        ({"patience": 3, "epsilon": 1.0}, [9, 8.5, 8.2, 8.1, 8.0], [1, 1, 1, 2, 2]),
        ({"patience": 2, "epsilon": 0}, [9, 8.99, 8.98, 8.97, 8.96], [1, 1, 1, 1, 1]),
        # Once it is over, no loss brings it back.
        ({"first": 2}, [9, 8, 100, 1], [1, 2, 2, 2]),
    ],
)
def test_second_stage_begins_when_the_loss_stalls_or_time_is_up(arguments, losses, stages):
    likelihood = StagedGaussianLikelihood(**arguments)
    assert [after(likelihood, [loss]) for loss in losses] == stages


def second_stage(log_variance=-3.0):
    likelihood = StagedGaussianLikelihood(first=1)
    with torch.no_grad():
        likelihood.log_variance.fill_(log_variance)
    return likelihood


def test_loss_is_continuous_at_the_switch(batch):
    maps, x = batch
    likelihood = second_stage()
    before = likelihood(maps).log_prob(x)
    assert after(likelihood, [1.0]) == 2
    pixels = likelihood(maps)
    torch.testing.assert_close(pixels.log_prob(x), before)
    torch.testing.assert_close(pixels.variance, torch.full_like(x, math.exp(-3.0)))


def test_second_stage_learns_the_maps_and_leaves_the_data_sets_variance(batch):
    maps, x = batch
    likelihood = second_stage()
    after(likelihood, [1.0])
    with torch.no_grad():
        likelihood.gate.fill_(0.7)
    maps.requires_grad_()
    pixels = likelihood(maps)
    expected = Independent(Normal(torch.sigmoid(maps[:, :2]), pixels.standard_deviation), 3)
    torch.testing.assert_close(pixels.log_prob(x), expected.log_prob(x))
    pixels.log_prob(x).sum().backward()
    assert likelihood.log_variance.grad is None
    assert maps.grad[:, 2:].abs().min() > 0


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_no_variance_is_below_half_the_data_sets(batch, scale):
    maps, x = batch
    likelihood = second_stage()
    after(likelihood, [1.0])
    with torch.no_grad():
        likelihood.gate.fill_(1.0)
    variance = likelihood(scale * maps).variance
    assert variance.min().item() >= 0.5 * math.exp(-3.0) * (1 - 1e-6)
    assert variance.min().item() < 0.9 * math.exp(-3.0) < variance.max().item()
    # So the density of an image has a ceiling.
    ceiling = -0.5 * x[0].numel() * math.log(2 * math.pi * 0.5 * math.exp(-3.0))
    exact = likelihood(scale * maps).log_prob(torch.sigmoid(scale * maps[:, :2]))
    assert (exact <= ceiling).all()


@pytest.mark.parametrize("done", [1, 2, 3, 4])
def test_schedule_goes_on_from_a_checkpoint(done):
    losses = [9, 9, 8, 8, 8, 7]
    straight, broken = (StagedGaussianLikelihood(first=9, patience=2) for _ in range(2))
    after(broken, losses[:done])
    resumed = StagedGaussianLikelihood(first=9, patience=2)
    resumed.load_state_dict(copy.deepcopy(broken.state_dict()))
    for loss in losses[done:]:
        resumed.end_epoch(loss)
    after(straight, losses)
    assert straight.state_dict() == resumed.state_dict()
    assert int(straight.stage) == 2


def test_stage_comes_with_the_weights(batch):
    second, fresh = second_stage(), StagedGaussianLikelihood()
    after(second, [1.0])
    fresh.load_state_dict(second.state_dict())
    assert torch.equal(fresh(batch[0]).variance, second(batch[0]).variance)
    fresh.load_state_dict(StagedGaussianLikelihood().state_dict())
    assert not hasattr(fresh(batch[0]), "variance")


def settings(**arguments):
    spec = ",".join(["gaussian:pixel", *(f"{k}={v}" for k, v in arguments.items())])
    return TrialSettings(
        "mlp", encoder="mlp", latent_dim=3, width=1 / 32, batch_size=16, likelihood=spec
    )


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_training_through_the_switch_is_the_same_in_one_go_and_in_two(stop):
    """Before the switch, at it, and after it."""
    arm = Arm("a", settings(first=2))
    images = torch.randint(0, 256, (64, *SHAPE), generator=torch.Generator().manual_seed(0)).byte()
    cpu = torch.device("cpu")
    straight, broken, resumed = (new_state(arm, SHAPE, 0, cpu) for _ in range(3))
    losses = [train_epoch(straight, images, 0) for _ in range(4)]
    found = [train_epoch(broken, images, 0) for _ in range(stop)]
    resumed.load(copy.deepcopy(broken.to_dict()))
    found += [train_epoch(resumed, images, 0) for _ in range(4 - stop)]
    assert found == losses
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    likelihood = resumed.model.likelihood
    assert int(likelihood.stage) == 2
    assert likelihood.gate.item() != 0


def test_variance_of_the_data_set_is_frozen_at_the_switch():
    arm = Arm("a", settings(first=1))
    model = build_model(arm.settings, SHAPE)
    state = TrialState(arm, model, make_optimizer(model, arm.settings))
    images = torch.full((32, *SHAPE), 99, dtype=torch.uint8)
    train_epoch(state, images, 0)
    learned = model.likelihood.log_variance.item()
    assert learned < 0
    train_epoch(state, images, 0)
    assert model.likelihood.log_variance.item() == learned


@pytest.mark.parametrize(
    "arguments",
    [
        "first=0", "first=-3", "first=2.5", "first=soon", "patience=0", "patience=-1",
        "patience=1.5", "epsilon=-1", "epsilon=nan", "epsilon=inf", "epsilon=small", "floor=0",
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_in_words(arguments):
    with pytest.raises(InputError, match="gaussian:pixel"):
        catalogue.build("likelihoods", f"gaussian:pixel,{arguments}")


def test_without_a_first_stage_it_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"first=0 must be .* cannot be learned from scratch"):
        catalogue.build("likelihoods", "gaussian:pixel,first=0")


def test_only_it_has_a_schedule():
    with pytest.raises(InputError, match="gaussian:optimal takes no first"):
        catalogue.build("likelihoods", "gaussian:optimal,first=3")
