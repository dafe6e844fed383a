import pytest
import torch
from torch import nn
from torch.nn import functional as F

from vaesearch.evaluation import products
from vaesearch.evaluation.products import ByOneDNN, fast_products

pytestmark = pytest.mark.skipif(not products._works(), reason="this torch has no oneDNN")


def layers(dtype=torch.float32, *, frozen=True):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = nn.Sequential(nn.Linear(5, 70), nn.ELU(), nn.Linear(70, 33, bias=False))
    return made.to(dtype).requires_grad_(not frozen)


def inputs(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(40, 5, generator=generator, dtype=dtype, requires_grad=True)


@pytest.fixture
def calls(monkeypatch):
    """Each entry is a product by oneDNN."""
    made = []
    original = products._linear

    def spy(*arguments):
        made.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(products, "_linear", spy)
    return made


def test_same_values_and_slopes(calls):
    network, x = layers(), inputs()
    expected = network(x)
    (slope,) = torch.autograd.grad(expected.square().sum(), x)
    with ByOneDNN():
        found = network(x)
    (found_slope,) = torch.autograd.grad(found.square().sum(), x)
    assert len(calls) == 4  # two layers, and back
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found_slope, slope, rtol=1e-4, atol=1e-4)


def test_what_does_not_fit_is_left_alone(calls):
    with ByOneDNN():
        layers(torch.float64)(inputs(torch.float64))
        layers()(inputs()[None])  # of three dimensions
        learning = layers(frozen=False)
        learning(inputs()).sum().backward()
        with torch.autocast("cpu", torch.bfloat16):
            layers()(inputs())
        F.linear(inputs(), weight=layers()[0].weight)
    assert calls == []
    assert learning[0].weight.grad is not None


@pytest.mark.parametrize(
    ("vendor", "capability", "faster"),
    [
        ("AuthenticAMD", "AVX512", True),
        ("AuthenticAMD", "AVX2", False),
        ("GenuineIntel", "AVX512", False),
        ("", "AVX512", False),
    ],
)
def test_it_is_for_cpus_that_mkl_makes_little_of(monkeypatch, vendor, capability, faster):
    monkeypatch.setattr(products, "_vendor", lambda: vendor)
    monkeypatch.setattr(torch._C, "has_mkl", True)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    products.is_faster.cache_clear()
    assert products.is_faster() is faster
    assert isinstance(fast_products(), ByOneDNN) is faster
    products.is_faster.cache_clear()


def test_a_torch_without_the_operator_goes_without(monkeypatch):
    def missing(*_):
        raise AttributeError("_linear_pointwise")

    monkeypatch.setattr(products, "_linear", missing)
    assert not products._works()
