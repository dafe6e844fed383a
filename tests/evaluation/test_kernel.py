import pytest
import torch

from vaesearch.evaluation.kernel import kernel_distance, kernel_estimate


def draws(count, seed, size=4):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_distance_is_the_sum_over_pairs():
    x, y = draws(5, 0).double(), draws(7, 1).double() + 1

    def k(a, b):
        return (torch.dot(a, b) / 4 + 1) ** 3

    among = sum(k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / (5 * 4)
    others = sum(k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / (7 * 6)
    across = sum(k(a, b) for a in x for b in y) / (5 * 7)
    torch.testing.assert_close(kernel_distance(x, y), among + others - 2 * across)


@pytest.mark.parametrize("count", [20, 400])
def test_distance_of_equal_laws_is_zero_in_the_mean(count):
    values = torch.stack([kernel_distance(draws(count, n), draws(100, -n)) for n in range(1, 200)])
    assert values.mean().abs() < 3 * values.std() / len(values) ** 0.5
    assert (values < 0).any()


def test_distance_of_other_laws_does_not_depend_on_the_count():
    few, many = (
        torch.stack([kernel_distance(draws(n, s), 1.3 * draws(n, -s)) for s in range(1, 100)])
        for n in (15, 150)
    )
    error = (few.var() / len(few) + many.var() / len(many)).sqrt()
    assert (few.mean() - many.mean()).abs() < 3 * error
    assert many.mean() > 0


def test_estimate_is_over_disjoint_subsets_of_all_pictures():
    x, y = draws(50, 0), draws(31, 1)
    found = kernel_estimate(x, y, 3)
    parts = [kernel_distance(*p) for p in zip(x.tensor_split(3), y.tensor_split(3), strict=True)]
    assert [len(p) for p in x.tensor_split(3)] == [17, 17, 16]
    assert found.value == pytest.approx(torch.stack(parts).mean().item())
    assert found.error == pytest.approx(torch.stack(parts).std().item() / 3**0.5)
    assert found.count == 50


def test_error_is_that_of_repetitions():
    found = [kernel_estimate(draws(300, s), 1.2 * draws(300, -s), 10) for s in range(1, 60)]
    values = torch.tensor([f.value for f in found])
    errors = torch.tensor([f.error for f in found])
    assert errors.mean() == pytest.approx(values.std().item(), rel=0.3)
