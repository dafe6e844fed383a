"""One encoder and K decoders: what a step runs, trains and leaves alone."""

import pytest
import torch

from vaesearch import catalogue
from vaesearch.baselines.shared_encoder import (
    SharedEncoder,
    count_all,
    new_shared_encoder,
    share_encoder,
)
from vaesearch.errors import DivergedError
from vaesearch.models.vae import VAE
from vaesearch.records import Arm, TrialSettings

SHAPE = (1, 16, 16)
CPU = torch.device("cpu")


def arms(*decoders, **changes):
    settings = {"encoder": "conv", "width": 0.03, "latent_dim": 4, **changes}
    return [Arm(name, TrialSettings(name, **settings)) for name in decoders]


def images(count=8, seed=0):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(seed))


def snapshot(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module, before):
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.fixture
def shared():
    made = new_shared_encoder(arms("mlp", "deconv", "linear-deconv"), SHAPE, 0, CPU)
    for model in made.models.values():
        model.train()
    return made


@pytest.mark.parametrize(
    ("shape", "latent_dim", "decoders", "encoder"),
    [
        ((1, 32, 32), 100, 28_858_237, 3_117_000),
        ((3, 32, 32), 200, 43_403_149, 4_757_904),
    ],
)
def test_the_size_of_the_whole_system_is_the_reports(shape, latent_dim, decoders, encoder):
    """The report's totals are of its five decoders; its one encoder comes on top."""
    with torch.device("meta"):
        models = [
            VAE(
                TrialSettings(
                    e.name, latent_dim=latent_dim, width=1.0, likelihood="relaxed-bernoulli"
                ),
                shape,
            )
            for e in catalogue.DECODERS[:5]
        ]
        share_encoder(models)
    assert count_all(models) == decoders + encoder
    assert count_all(model.decoder for model in models) == decoders


def test_a_step_runs_the_chosen_decoder_only(shared):
    """Twice, as its updates alternate: forward and backward for itself, then for the encoder."""
    forward, backward = [], []
    for name, model in shared.models.items():
        model.decoder.register_forward_hook(lambda *_, n=name: forward.append(n))
        model.decoder.register_full_backward_hook(lambda *_, n=name: backward.append(n))
    shared.models["mlp"].encoder.register_forward_hook(lambda *_: forward.append("encoder"))
    shared.step("deconv", images(), torch.Generator().manual_seed(0))
    assert forward == ["encoder", "deconv", "encoder", "deconv"]
    assert set(backward) == {"deconv"}
    assert len(backward) <= 2


def test_decoders_that_were_not_chosen_are_as_before_to_the_last_running_mean(shared):
    others = {n: snapshot(m.decoder) for n, m in shared.models.items() if n != "deconv"}
    scales = {n: snapshot(m.likelihood) for n, m in shared.models.items() if n != "deconv"}
    chosen, encoder = shared.models["deconv"].decoder, shared.models["mlp"].encoder
    before, encoder_before = snapshot(chosen), snapshot(encoder)
    shared.step("deconv", images(), torch.Generator().manual_seed(0))
    for name in others:
        assert same(shared.models[name].decoder, others[name])
        assert same(shared.models[name].likelihood, scales[name])
    assert not same(chosen, before)
    assert not same(encoder, encoder_before)


def test_all_models_encode_alike(shared):
    shared.step("deconv", images(), torch.Generator().manual_seed(0))
    x = images(4, seed=1)
    means = [model.eval().encode(x).mean for model in shared.models.values()]
    assert torch.equal(means[0], means[1])
    assert torch.equal(means[0], means[2])


def test_updates_alternate(shared):
    """The decoder moves first, by the gradient at the old encoder; the encoder sees it moved."""
    order = []
    for name, optimizer in {**shared.decoders, "encoder": shared.encoder}.items():
        optimizer.register_step_post_hook(lambda *_, n=name: order.append(n))
    shared.step("mlp", images(), torch.Generator().manual_seed(0))
    assert order == ["mlp", "encoder"]


class Scaled(SharedEncoder):
    """The report's loss: N/B times ours."""

    def _cost(self, terms):
        return 469 * super()._cost(terms)


def test_the_factor_of_the_reports_loss_changes_nothing_under_adam():
    rewards = []
    for kind in (SharedEncoder, Scaled):
        made = new_shared_encoder(arms("mlp", "mlp-wide"), SHAPE, 0, CPU)
        made = kind(made.models, made.encoder, made.decoders)
        generator = torch.Generator().manual_seed(0)
        rewards.append([made.step("mlp", images(seed=k), generator) for k in range(8)])
    assert rewards[1] == pytest.approx(rewards[0], rel=1e-3)
    assert rewards[0][-1] > rewards[0][0] + 1


def test_the_reward_is_the_log_likelihood_before_the_step(shared):
    x = images()
    from vaesearch.objectives import elbo_terms

    with torch.no_grad():
        terms = elbo_terms(shared.models["mlp"], x, torch.Generator().manual_seed(3))
    reward = shared.step("mlp", x, torch.Generator().manual_seed(3))
    assert reward == pytest.approx(float(terms.log_likelihood.mean()), rel=1e-5)


def test_what_is_no_number_ends_the_run_and_names_the_decoder(shared):
    with pytest.raises(DivergedError, match="reconstruction loss of mlp became nan"):
        shared.step("mlp", images() * float("nan"), None)
