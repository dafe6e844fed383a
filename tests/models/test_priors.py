from dataclasses import replace

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.priors import MARGIN, StandardNormal
from vaesearch.models.vae import build_model, count_parameters
from vaesearch.objectives import Loss, elbo_terms
from vaesearch.records import Arm, TrialSettings
from vaesearch.training import new_state, train_epoch

SHAPE = (1, 8, 8)
SETTINGS = TrialSettings(
    "mlp", encoder="conv", latent_dim=3, width=1 / 32, batch_size=8, prior="vampprior:5"
)


@pytest.fixture
def model():
    return build_model(SETTINGS, SHAPE)


@pytest.fixture
def images():
    return torch.randint(0, 256, (24, *SHAPE), generator=torch.Generator().manual_seed(0)).byte()


def test_standard_normal_is_that_of_torch():
    z = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1))
    expected = Independent(Normal(torch.zeros(3), 1.0), 1).log_prob(z)
    torch.testing.assert_close(StandardNormal(3).log_prob(z), expected)


def test_mixture_prior_is_the_standard_normal_in_training():
    model = build_model(replace(SETTINGS, prior="gmm:7"), SHAPE)
    assert model.prior.components == 7
    plain = build_model(replace(SETTINGS, prior="standard"), SHAPE)
    x = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(1))
    values = [Loss(m.settings)(m, x, torch.Generator().manual_seed(0)) for m in (model, plain)]
    assert torch.equal(*values)
    assert model.state_dict().keys() == plain.state_dict().keys()


def test_density_is_the_mixture_of_the_encoded_pseudo_inputs(model):
    model.eval()
    q = model.encode(model.prior.pseudo_inputs)
    components = Independent(Normal(q.mean, (0.5 * q.log_variance).exp()), 1)
    oracle = MixtureSameFamily(Categorical(torch.ones(5)), components)
    z = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(model.latent_prior().log_prob(z), oracle.log_prob(z))


def test_divergence_is_estimated_at_the_sample(model, images):
    model.eval()
    x = images.float() / 255
    terms = elbo_terms(model, x, torch.Generator().manual_seed(4))
    z, log_q = model.encode(x).rsample_and_log_prob(torch.Generator().manual_seed(4))
    assert torch.equal(terms.z, z)
    torch.testing.assert_close(terms.kl, log_q - model.latent_prior().log_prob(z))


def test_pseudo_inputs_are_pictures_that_learn(model, images):
    made = model.prior.pseudo_inputs
    assert made.shape == (5, *SHAPE)
    assert made.min() > 0
    assert made.max() < 1
    assert made.std() > 0.05
    loss = Loss(SETTINGS)(model, images.float() / 255, torch.Generator().manual_seed(0))
    loss.backward()
    assert model.prior.logits.grad.isfinite().all()
    assert model.prior.logits.grad.abs().sum() > 0
    assert count_parameters(SETTINGS, SHAPE) == sum(p.numel() for p in model.parameters())


def test_running_statistics_stay_those_of_images(model, images):
    model.train()
    x = images.float() / 255
    model.encode(x)
    before = {name: b.clone() for name, b in model.encoder.named_buffers()}
    model.latent_prior()
    assert all(torch.equal(b, before[name]) for name, b in model.encoder.named_buffers())
    assert model.training
    assert model.encoder.training


def test_training_starts_from_images(images):
    settings = replace(SETTINGS, learning_rate=1e-9)
    state = new_state(Arm("a", settings), SHAPE, 0, torch.device("cpu"))
    train_epoch(state, images, seed=0)
    made = state.model.prior.pseudo_inputs.detach()
    shown = (images.float() / 255).clamp(MARGIN, 1 - MARGIN)
    distances = torch.cdist(made.flatten(1), shown.flatten(1))
    assert distances.min(dim=1).values.max() < 1e-4
    assert len(distances.argmin(dim=1).unique()) == 5


def test_training_starts_from_images_once(images):
    state = new_state(
        Arm("a", replace(SETTINGS, learning_rate=1e-9)), SHAPE, 0, torch.device("cpu")
    )
    train_epoch(state, images, seed=0)
    with torch.no_grad():
        state.model.prior.logits.zero_()
    train_epoch(state, images, seed=0)
    assert state.model.prior.logits.abs().max() < 1e-4


def test_training_goes_on_after_a_restart_with_what_was_learned(images):
    settings = replace(SETTINGS, learning_rate=0.05)
    whole, first, second = (
        new_state(Arm("a", settings), SHAPE, 0, torch.device("cpu")) for _ in range(3)
    )
    for _ in range(2):
        expected = train_epoch(whole, images, seed=0)
    train_epoch(first, images, seed=0)
    second.load(first.to_dict())
    assert train_epoch(second, images, seed=0) == expected
    assert torch.equal(second.model.prior.logits, whole.model.prior.logits)


def test_few_images_are_used_more_than_once(model):
    images = torch.stack([torch.zeros(SHAPE), torch.full(SHAPE, 255.0)]).byte()
    model.prior.start_from(images, torch.Generator().manual_seed(0))
    shades = model.prior.pseudo_inputs.flatten(1).mean(dim=1)
    assert sorted((shades > 0.5).tolist()) in ([False] * 3 + [True] * 2, [False] * 2 + [True] * 3)


def test_pictures_are_drawn_from_the_learned_prior(model):
    """From around the codes of the pseudo-inputs and not from N(0, I)."""
    model.eval()
    with torch.no_grad():
        model.posterior.mean.bias.fill_(50.0)
    drawn = model.latent_prior().sample(64, torch.Generator().manual_seed(0))
    assert (drawn - 50).abs().max() < 10
    pictures = model.sample(64, torch.Generator().manual_seed(0))
    assert torch.equal(pictures, model.decode(drawn).mean)


@pytest.mark.parametrize("name", ["vampprior", "gmm"])
@pytest.mark.parametrize("components", ["0", "-3", "2.5", "many"])
def test_components_must_be_a_whole_number_above_zero(name, components):
    with pytest.raises(InputError, match=f"components of .*{name} must be a whole number, at lea"):
        catalogue.build("priors", f"{name}:{components}", latent_dim=3, shape=SHAPE)
