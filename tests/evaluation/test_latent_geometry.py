"""Traversals, paths, planes and drift, held to what they must be by their definitions."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaesearch.evaluation.drift import drift
from vaesearch.evaluation.interpolation import between, interpolation
from vaesearch.evaluation.pictures import codes_of, shown_at
from vaesearch.evaluation.planes import plane_of_latents, principal_plane, widest_latents
from vaesearch.evaluation.traversals import rank_latents, traversal
from vaesearch.models.vae import build_model
from vaesearch.records import TrialSettings

SHAPE = (1, 8, 8)


def model_of(**changes):
    settings = {"encoder": "mlp", "latent_dim": 3, "width": 1 / 32} | changes
    return build_model(TrialSettings("mlp", **settings), SHAPE).eval().requires_grad_(False)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (300, *SHAPE), generator=generator).byte()


def test_a_traversal_moves_one_latent_of_each_row():
    start = torch.tensor([0.1, 0.2, 0.3])
    z = traversal(start, [2, 0], torch.tensor([-1.0, 5.0]))
    expected = [[[0.1, 0.2, -1], [0.1, 0.2, 5]], [[-1, 0.2, 0.3], [5, 0.2, 0.3]]]
    torch.testing.assert_close(z, torch.tensor(expected))


def test_latents_are_ranked_by_their_kl(images):
    model = model_of()
    with torch.no_grad():
        model.posterior.mean.weight[1] *= 50  # the mean of latent 1 now moves most
    posterior = model.encode(images / 255)
    exact = kl_divergence(
        Normal(posterior.mean, (posterior.log_variance / 2).exp()), Normal(0.0, 1.0)
    ).mean(dim=0)
    ranking = rank_latents(model, images)
    torch.testing.assert_close(ranking.scores, exact)
    assert ranking.order[0] == 1


def test_latents_of_a_flow_are_ranked_by_the_variance_of_their_codes(images):
    model = model_of(posterior="iaf:1")
    ranking = rank_latents(model, images)
    codes = codes_of(model, images)
    torch.testing.assert_close(ranking.scores, codes.var(dim=0, correction=0))
    assert ranking.order == torch.argsort(codes.var(dim=0), descending=True).tolist()


def test_an_arc_keeps_its_distance_from_0_where_a_line_cuts_through():
    first, second = torch.tensor([3.0, 0.0, 0.0]), torch.tensor([0.0, 3.0, 0.0])
    share = torch.linspace(0, 1, 5)
    arc = between(first, second, share, spherical=True)
    torch.testing.assert_close(arc.norm(dim=1), torch.full((5,), 3.0))
    angles = torch.atan2(arc[:, 1], arc[:, 0])
    torch.testing.assert_close(angles, share * math.pi / 2)  # at an even pace
    line = between(first, second, share)
    torch.testing.assert_close(line[2], torch.tensor([1.5, 1.5, 0.0]))


@pytest.mark.parametrize("other", [2.0, -1.0, 0.0])
def test_an_arc_between_codes_on_one_line_is_the_line(other):
    first = torch.tensor([1.0, 2.0])
    share = torch.linspace(0, 1, 4)
    arc = between(first, other * first, share, spherical=True)
    torch.testing.assert_close(arc, between(first, other * first, share))


@pytest.mark.parametrize("spherical", [False, True])
def test_the_corners_of_a_sheet_are_the_codes(spherical):
    corners = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    sheet = interpolation(corners, 5, spherical=spherical)
    assert sheet.shape == (5, 5, 6)
    found = torch.stack([sheet[0, 0], sheet[0, -1], sheet[-1, 0], sheet[-1, -1]])
    torch.testing.assert_close(found, corners)
    path = interpolation(corners[:2], 5, spherical=spherical)
    torch.testing.assert_close(path, sheet[0])


def test_a_principal_plane_holds_the_variance_and_leaves_the_prior_round():
    generator = torch.Generator().manual_seed(2)
    codes = torch.randn(4000, 4, generator=generator) * torch.tensor([0.1, 3.0, 0.2, 2.0]) + 5
    plane = principal_plane(codes)
    torch.testing.assert_close(plane.axes @ plane.axes.T, torch.eye(2))
    assert plane.axes[0, 1] > 0.99
    assert plane.axes[1, 3] > 0.99
    assert plane.names[0].startswith("first principal direction (69%")
    torch.testing.assert_close(plane.spreads(torch.eye(4)), torch.eye(2))
    assert widest_latents(codes) == (1, 3)
    plain = plane_of_latents(1, 3, 4)
    assert torch.equal(plain.points(codes), codes[:, [1, 3]])


@pytest.mark.parametrize("posterior", ["gaussian", "full-covariance"])
def test_drift_is_encoding_the_reconstruction_again(images, posterior):
    model = model_of(posterior=posterior)
    x = images[:7] / 255
    found = drift(model, x, times=2)
    first = model.encode(x)
    second = model.encode(model.decode(first.mean).mean)
    third = model.encode(model.decode(second.mean).mean)
    means = [q.mean for q in (first, second, third)]
    torch.testing.assert_close(found.codes, torch.stack(means))
    gaussians = [MultivariateNormal(q.mean, q.covariance()) for q in (first, second, third)]
    exact = [kl_divergence(gaussians[1], gaussians[0]), kl_divergence(gaussians[2], gaussians[1])]
    torch.testing.assert_close(found.divergences, torch.stack(exact), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.covariances[1], second.covariance())


def test_drift_of_a_flow_has_a_divergence_and_no_covariance(images):
    x = images[:7] / 255
    found = drift(model_of(posterior="iaf:1"), x, 1, torch.Generator().manual_seed(0))
    assert found.covariances is None
    assert found.divergences.shape == (1, 7)
    without = drift(model_of(posterior="realnvp:2"), x)
    assert without.divergences is None


def test_draws_of_pictures_follow_the_generator():
    model = model_of(likelihood="discretized-logistic:pixel")
    z = torch.randn(260, 3, generator=torch.Generator().manual_seed(0))
    means = shown_at(model, z)
    torch.testing.assert_close(means[250:], model.decode(z[250:]).mean)
    draws = [shown_at(model, z, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    deviation = model.decode(z).standard_deviation
    pulls = ((draws[0] - means) / deviation).flatten()
    # Means are clamped to [0, 1] for showing, and so are the levels.
    assert abs(pulls.mean()) < 0.1
    assert 0.8 < pulls.std() < 1.2
