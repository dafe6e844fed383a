import math
from dataclasses import replace

import pytest
import torch

from vaesearch import catalogue
from vaesearch.errors import InputError
from vaesearch.models.latents import DiagonalGaussian
from vaesearch.objectives import Loss, elbo_terms
from vaesearch.objectives.annealing import Weights
from vaesearch.records import Arm
from vaesearch.training import new_state, train_epoch


def weights(spec, progress):
    return catalogue.build("annealings", spec)(progress)


@pytest.mark.parametrize(
    ("progress", "weight"), [(0, 0), (0.5, 0.125), (3, 0.75), (4, 1), (9, 1), (math.inf, 1)]
)
def test_weights_grow_linearly_and_stay(progress, weight):
    assert weights("kl:4", progress) == Weights(regularizer=weight)
    assert weights("entropy:4", progress) == Weights(entropy=weight)
    assert weights("none", progress) == Weights()


@pytest.mark.parametrize("spec", ["kl:0", "entropy:-1", "kl:inf", "entropy:nan", "kl:ten"])
def test_epochs_must_be_above_zero(spec):
    with pytest.raises(InputError, match="give the epochs it takes, above 0"):
        catalogue.build("annealings", spec)


def cost_of_codes(model, settings, images, generator, progress):
    """The loss without its reconstruction term."""
    terms = elbo_terms(model, images, generator())
    value = Loss(settings)(model, images, generator(), progress)
    return value + terms.log_likelihood.mean(), terms


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_both_are_their_closed_forms(share, settings, model_of, images, draw_from):
    """Cross-entropy to N(0, 1) is (mean^2 + variance + ln 2 pi) / 2, the entropy is of q."""
    model = model_of()
    by_kl, terms = cost_of_codes(
        model, replace(settings, annealing="kl:4"), images, draw_from, 4 * share
    )
    by_entropy, _ = cost_of_codes(
        model, replace(settings, annealing="entropy:4"), images, draw_from, 4 * share
    )
    q = terms.posterior
    cross = 0.5 * (q.mean.square() + q.log_variance.exp() + math.log(2 * math.pi)).sum(dim=1)
    entropy = 0.5 * (q.log_variance + math.log(2 * math.pi) + 1).sum(dim=1)
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(by_kl, share * (cross - entropy).mean(), **close)
    torch.testing.assert_close(by_entropy, (cross - share * entropy).mean(), **close)


def test_a_sample_stands_in_where_there_is_no_closed_form(settings, model_of, images, draw_from):
    """With another prior than N(0, I) the entropy is estimated as the KL is."""
    model = model_of(prior="vampprior:3")
    cost, terms = cost_of_codes(
        model, replace(settings, annealing="entropy:4"), images, draw_from, 1.0
    )
    log_prior = terms.prior.log_prob(terms.z)
    torch.testing.assert_close(cost, (0.25 * terms.log_q - log_prior).mean(), rtol=1e-4, atol=1e-4)


def test_without_its_entropy_the_posterior_shrinks_and_without_the_kl_it_is_free():
    """Directions of the gradient at the start: what tells the two annealings apart."""
    log_variance = torch.zeros(1, 1, requires_grad=True)
    q = DiagonalGaussian(torch.zeros(1, 1), log_variance)
    negative_log_prior = 0.5 * (q.mean.square() + log_variance.exp())  # entropy:E at 0
    assert torch.autograd.grad(negative_log_prior.sum(), log_variance)[0] > 0
    assert torch.autograd.grad(q.kl_to_standard().sum(), log_variance)[0] == 0


def seen_progress(monkeypatch, settings, count, epochs):
    """What the loss is told in every step."""
    images = torch.zeros(count, 1, 8, 8, dtype=torch.uint8)
    state = new_state(Arm("a", settings), (1, 8, 8), 0, torch.device("cpu"))
    seen = []
    original = Loss.__call__

    def spy(self, model, x, generator, progress):
        seen.append(progress)
        return original(self, model, x, generator, progress)

    monkeypatch.setattr(Loss, "__call__", spy)
    for _ in range(epochs):
        train_epoch(state, images, seed=0)
    return seen


@pytest.mark.parametrize(("count", "steps"), [(32, 4), (38, 4), (5, 1)])
def test_progress_counts_epochs_by_batches(monkeypatch, settings, count, steps):
    seen = seen_progress(monkeypatch, settings, count, epochs=3)
    assert seen == [epoch + batch / steps for epoch in range(3) for batch in range(steps)]


@pytest.mark.parametrize("annealing", ["kl:3", "entropy:3"])
def test_annealing_goes_on_after_a_restart(settings, annealing):
    settings = replace(settings, annealing=annealing)
    images = (torch.rand(24, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 255).byte()
    whole, first, second = (
        new_state(Arm("a", settings), (1, 8, 8), 0, torch.device("cpu")) for _ in range(3)
    )
    losses = [train_epoch(whole, images, seed=0) for _ in range(2)]
    assert train_epoch(first, images, seed=0) == losses[0]
    second.load(first.to_dict())
    assert train_epoch(second, images, seed=0) == losses[1]
    pairs = zip(second.model.parameters(), whole.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
