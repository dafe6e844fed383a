"""Every map of the flows: its determinant, its inverse, and what it does at the edges."""

import pytest
import torch

from vaesearch import catalogue
from vaesearch.models.posteriors.affine import affine, bounded_log_scale, undo_affine
from vaesearch.models.posteriors.planar import LEAST_GAIN, constrained, planar, planar_steps
from vaesearch.models.posteriors.radial import radial, radial_steps

POINTS, DIMS = 64, 8
MAPS = ["planar:3", "radial:3", "iaf:3,16", "realnvp:3,16"]
# How many times larger than at the start all weights are.
STRENGTHS = [1, 4]


def steps_of(name, strength, dtype, dims=DIMS):
    """The maps of ``POINTS`` different images."""
    torch.manual_seed(0)
    posterior = catalogue.build("posteriors", name, features=6, latent_dim=dims)
    with torch.no_grad():
        for p in posterior.parameters():
            p.mul_(strength)
    q = posterior.to(dtype)(torch.randn(POINTS, 6).to(dtype))
    return q.joint.steps if hasattr(q, "joint") else q.steps


def points_for(name, dims=DIMS):
    sizes = (POINTS, 2 * dims if "realnvp" in name else dims)
    return torch.randn(sizes, generator=torch.Generator().manual_seed(1)) * 1.5


def jacobians(step, z):
    """One ``[D, D]`` for each row of ``z``, which are mapped independently."""
    found = torch.autograd.functional.jacobian(lambda z: step(z)[0].sum(dim=0), z)
    return found.permute(1, 0, 2)


@pytest.mark.parametrize("dims", [1, DIMS])
@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("name", MAPS)
def test_log_determinant_is_that_of_the_jacobian(name, strength, dims):
    z = points_for(name, dims)
    pairs = zip(
        steps_of(name, strength, torch.float64, dims),
        steps_of(name, strength, torch.float32, dims),
        strict=True,
    )
    for exact, single in pairs:
        sign, expected = torch.linalg.slogdet(jacobians(exact, z.double()))
        assert (sign == 1).all()
        assert (exact(z.double())[1] - expected).abs().max() <= 1e-10
        assert (single(z)[1] - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("strength", [1, 3])
@pytest.mark.parametrize(("make", "size"), [(planar_steps, 17), (radial_steps, 10)])
def test_log_determinant_of_free_parameters(make, size, strength):
    generator = torch.Generator().manual_seed(2)
    parameters = strength * torch.randn(POINTS, 4, size, generator=generator)
    z = points_for("planar")
    for exact, single in zip(make(parameters.double()), make(parameters), strict=True):
        sign, expected = torch.linalg.slogdet(jacobians(exact, z.double()))
        assert (sign == 1).all()
        assert (exact(z.double())[1] - expected).abs().max() <= 1e-10
        assert (single(z)[1] - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("name", MAPS)
def test_the_inverse_undoes_the_map(name, strength):
    z = torch.stack([points_for(name).double(), -points_for(name).double()])
    for step in steps_of(name, strength, torch.float64):
        there, log_det = step(z)
        back, same = step.inverse(there)
        torch.testing.assert_close(back, z, rtol=0, atol=1e-6)
        torch.testing.assert_close(same, log_det, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", MAPS)
def test_the_gradient_goes_through_the_inverse(name):
    """By the inverse function theorem, the Jacobian of the one is the inverse of the other's."""
    z = points_for(name).double()
    for step in steps_of(name, 2, torch.float64):
        there = jacobians(step, z)
        found = torch.autograd.functional.jacobian(
            lambda y, step=step: step.inverse(y)[0].sum(dim=0), step(z)[0]
        ).permute(1, 0, 2)
        torch.testing.assert_close(
            found @ there, torch.eye(there.shape[-1]).expand_as(there).double()
        )


def test_gradient_of_the_inverse_reaches_the_parameters():
    generator = torch.Generator().manual_seed(4)
    parameters = torch.randn(3, 2, 5, generator=generator, dtype=torch.float64)
    z = torch.randn(3, 2, generator=generator, dtype=torch.float64)

    def inverse(parameters):
        y, total = z, 0
        for step in reversed(planar_steps(parameters)):
            y, log_det = step.inverse(y)
            total = total + log_det
        return y, total

    assert torch.autograd.gradcheck(inverse, parameters.requires_grad_())


def test_autoregressive_steps_are_triangular_in_turns():
    z = points_for("iaf").double()
    for number, step in enumerate(steps_of("iaf:3,16", 3, torch.float64)):
        moved = torch.autograd.functional.jacobian(
            lambda z, step=step: torch.cat(step.conditioner(z), dim=-1).sum(dim=0), z
        )
        for part in moved.permute(1, 0, 2).chunk(2, dim=1):
            allowed = part.tril(-1) if number % 2 == 0 else part.triu(1)
            assert torch.equal(part, allowed)
            assert (part.abs().amax(dim=0) > 0).sum() == DIMS * (DIMS - 1) / 2


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-6), (torch.float64, 1e-15)])
def test_the_inverse_of_a_planar_map_at_any_gain(dtype, error):
    """From what is squeezed a thousand times to what is stretched a million times."""
    stretch = torch.logspace(-3, 6, 40, dtype=dtype).unsqueeze(1)
    u = torch.where(stretch < 1, -20 * (1 - stretch), stretch)
    step = planar(u, torch.ones_like(u), torch.zeros(len(u), dtype=dtype))
    z = torch.linspace(-9, 9, 51, dtype=dtype).view(-1, 1, 1)
    there, _ = step(z)
    back, log_det = step.inverse(there)
    # The rounding of a sum with u, which a map that squeezes makes larger on the way back.
    rounding = 4 * error * (z.abs() + step.u.abs())
    assert ((back - z).abs() <= rounding / log_det.exp().clamp_max(1).unsqueeze(-1)).all()


def test_constrained_u_can_be_inverted_and_is_zero_where_u_is():
    generator = torch.Generator().manual_seed(3)
    u, w = (5 * torch.randn(500, 3, generator=generator, dtype=torch.float64) for _ in "uw")
    moved, gain = constrained(u, w)
    dot = (u * w).sum(dim=-1)
    torch.testing.assert_close(gain, 1 + (moved * w).sum(dim=-1))
    assert (gain >= LEAST_GAIN).all()
    assert (dot < -1).any()
    # Only along w is it moved.
    change = moved - u
    torch.testing.assert_close(change, (change * w).sum(-1, True) / w.square().sum(-1, True) * w)
    assert torch.equal(constrained(torch.zeros_like(u), w)[0], torch.zeros_like(u))


def test_constraint_is_that_of_the_paper_with_u_measured_from_the_identity():
    """m(a) = softplus(a) - 1 (Rezende & Mohamed 2015, A.1), and a floor of a thousandth."""
    generator = torch.Generator().manual_seed(3)
    u, w = (torch.randn(500, 3, generator=generator, dtype=torch.float64) for _ in "uw")
    square = w.square().sum(-1, True)
    shift = torch.tensor(torch.e - 1).double().log()
    free = u + shift * w / square
    dot = (free * w).sum(-1, True)
    of_paper = free + (torch.nn.functional.softplus(dot) - 1 - dot) * w / square
    moved = constrained(u, w)[0]
    difference = ((moved - of_paper) * w).sum(-1)
    along = (of_paper * w).sum(-1)
    torch.testing.assert_close(difference, -LEAST_GAIN * along)


@pytest.mark.parametrize("length", [0.0, 1e-30, 1e-12, 1e-6, 1e-3])
def test_planar_map_with_w_near_zero_is_a_shift(length):
    u, w = torch.tensor([[2.0, -3.0]], requires_grad=True), torch.tensor([[length, -length]])
    w.requires_grad_()
    z, log_det = planar(u, w, torch.tensor([0.5]))(torch.zeros(1, 2))
    assert log_det.abs().item() < 0.01
    (z.sum() + log_det.sum()).backward()
    assert u.grad.isfinite().all()
    assert w.grad.isfinite().all()


def test_radial_map_with_equal_lengths_is_the_identity_and_smooth_at_its_centre():
    centre = torch.zeros(1, 3)
    z = torch.tensor([[0.0, 0, 0], [1, 2, 3]], requires_grad=True)
    same, log_det = radial(centre, torch.tensor([0.3]), torch.tensor([0.3]))(z)
    torch.testing.assert_close(same, z)
    torch.testing.assert_close(log_det, torch.zeros(2))
    other, log_det = radial(centre, torch.tensor([0.3]), torch.tensor([2.0]))(z)
    (other.sum() + log_det.sum()).backward()
    assert z.grad.isfinite().all()


def test_scales_grow_and_shrink_z_within_a_bound_and_are_undone():
    raw = torch.tensor([[0.0, 1e-3, 1e6, -1e6]], dtype=torch.float64)
    log_scale = bounded_log_scale(raw, 2.0)
    torch.testing.assert_close(log_scale[:, :2], raw[:, :2], rtol=1e-6, atol=0)
    assert log_scale[0, 2:].tolist() == [2.0, -2.0]
    z, shift = torch.tensor([[1.0, -2, 3, 4]]).double(), torch.tensor([[5.0, 6, 7, 8]]).double()
    there, log_det = affine(z, shift, log_scale)
    torch.testing.assert_close(there, shift + log_scale.exp() * z)
    torch.testing.assert_close(log_det, torch.tensor([1e-3]).double())
    back, same = undo_affine(there, shift, log_scale)
    torch.testing.assert_close(back, z)
    assert torch.equal(same, log_det)


@pytest.mark.parametrize("name", ["iaf:4", "realnvp:4"])
def test_steps_start_near_the_identity_and_stay_finite_however_wild_the_weights(name):
    z = points_for(name)
    for step in steps_of(name, 1, torch.float32):
        there, log_det = step(z)
        assert (there - z).abs().mean() < 0.2
        assert log_det.abs().mean() < 0.3
    for step in steps_of(name, 1e3, torch.float32):
        there, log_det = step(z)
        assert there.isfinite().all()
        assert log_det.isfinite().all()
