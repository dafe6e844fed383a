"""What a model costs, against what is known and what is measured."""

from dataclasses import replace

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.cost import known_cost, model_cost
from vaesearch.models.vae import build_model, count_parameters
from vaesearch.objectives import Loss
from vaesearch.records import TrialSettings
from vaesearch.training import make_optimizer

GREY = (1, 32, 32)
REPORT = TrialSettings("mlp", latent_dim=100, width=1.0, likelihood="relaxed-bernoulli")
# MFLOPs per image of the report's decoders, and of a step that trains no log-variance.
REPORTED = {
    "mlp": (1.4, 238), "mlp-wide": (3.5, 244.6), "deconv-deep": (203, 844),
    "deconv": (542, 1861), "linear-deconv": (51, 387),
}  # fmt: skip
LOG_VARIANCE = 2 * 2 * 8192 * 100 / 1e6  # gradients of its weights and of the features
SMALL = TrialSettings("mlp", latent_dim=16, width=1 / 8, batch_size=32)


@pytest.mark.parametrize("decoder", REPORTED)
def test_figures_of_the_report_s_networks(decoder):
    cost = model_cost(replace(REPORT, decoder=decoder), GREY)
    forward, step = REPORTED[decoder]
    assert cost.encoder.flops / 1e6 == pytest.approx(79.4, abs=0.05)
    assert cost.encoder.parameters == 3_117_000
    assert cost.decoder.flops / 1e6 == pytest.approx(forward, rel=0.02)
    assert cost.step_flops / 1e6 - LOG_VARIANCE == pytest.approx(step, rel=0.002)
    assert cost.parameters == count_parameters(replace(REPORT, decoder=decoder), GREY)
    assert cost.parameters == cost.encoder.parameters + cost.decoder.parameters


def test_a_dense_network_by_hand():
    settings = replace(SMALL, encoder="mlp", width=1.0, likelihood="relaxed-bernoulli")
    cost = model_cost(settings, (1, 8, 8))
    weights = 64 * 256 + 256 * 256 + 2 * 256 * 16
    assert cost.encoder.flops == 2 * weights
    down = 16 * 128 + 128 * 256 + 256 * 512 + 512 * 64
    assert cost.decoder.flops == 2 * down
    # Backward, each layer has two products, but the first of the encoder has only one.
    assert cost.step_flops == 6 * (weights + down) - 2 * 64 * 256


def test_of_a_convolution_in_groups_backward_costs_twice_forward():
    shape = (1, 32, 32)
    some, more = (
        model_cost(replace(SMALL, decoder=f"convnext:blocks={n}"), shape) for n in (1, 3)
    )
    forward = more.decoder.flops - some.decoder.flops
    assert more.step_flops - some.step_flops == pytest.approx(3 * forward, rel=1e-6)


def test_flops_do_not_depend_on_the_batch_but_memory_does():
    small, large = (model_cost(replace(SMALL, batch_size=n), GREY) for n in (16, 64))
    assert small.step_flops == large.step_flops
    weights = 16 * small.parameters
    assert large.memory - weights == pytest.approx(4 * (small.memory - weights), rel=0.01)


def test_the_loss_counts():
    alpha = replace(SMALL, alpha=1.0)
    plain, consistent = (model_cost(settings, GREY, Loss(settings)) for settings in (SMALL, alpha))
    # The reconstructions are encoded as well, with a gradient by them too.
    assert consistent.step_flops == plain.step_flops + 3 * plain.encoder.flops
    assert consistent.memory > plain.memory


def test_what_the_decoder_cannot_make_is_said():
    with pytest.raises(InputError, match="multiple of 8, not 28"):
        model_cost(replace(SMALL, decoder="deconv"), (1, 28, 28))


@pytest.mark.parametrize(
    ("encoder", "decoder"), [("conv", e.name) for e in catalogue.DECODERS] + [("gated", "mlp")]
)
def test_memory_is_what_a_step_takes(encoder, decoder):
    """Kernels need some more while they run: a copy in another layout, or a gradient."""
    settings = replace(SMALL, encoder=encoder, decoder=decoder)
    shape = (3, 32, 32)
    estimate = model_cost(settings, shape, Loss(settings)).memory
    assert estimate == pytest.approx(_peak_of_a_step(settings, shape), rel=0.15)


def _peak_of_a_step(settings, shape):
    """Bytes, from torch's own record of what it allocates and frees."""
    model, loss = build_model(settings, shape), Loss(settings)
    optimizer = make_optimizer(model, settings)
    x = torch.rand(settings.batch_size, *shape, generator=torch.Generator().manual_seed(0))

    def step():
        loss(model, x, torch.Generator().manual_seed(0)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()  # makes Adam's moments
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    events = profiler.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    now = peak = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    weights_and_moments = 12 * sum(p.numel() for p in model.parameters())
    return peak + weights_and_moments


OWN = """
from torch import nn

class Net(nn.Module):
    def __init__(self, *, latent_dim, shape, outputs):
        super().__init__()
        self.layer = nn.Linear(latent_dim, outputs * shape[1] * shape[2])
        self.shape = (outputs, *shape[1:])

    def forward(self, z):
        scale = 2.0 if float(z.detach().square().sum()) < 1e9 else 1.0
        return scale * self.layer(z).unflatten(1, self.shape)
"""


def test_a_network_that_looks_at_values_is_counted_too(tmp_path, monkeypatch):
    (tmp_path / "values_net.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    own = replace(SMALL, decoder="values_net:Net")
    cost = model_cost(own, (1, 8, 8))
    assert cost.decoder.flops == 2 * 16 * 64
    assert cost.memory > 16 * cost.parameters
    known = known_cost(own, (1, 8, 8), Loss(own))
    assert known is not None
    assert known.step_flops == cost.step_flops
