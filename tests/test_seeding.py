import pytest
import torch

from vaesearch.seeding import derive, numpy_generator, torch_generator


@pytest.mark.parametrize(
    ("seed", "path", "value"),
    [
        (0, (), 3_456_079_177_858_693_020),
        (0, ("weights",), 7_831_180_306_208_225_803),
        (7, ("arm", 3), 1_522_225_355_991_248_233),
    ],
)
def test_streams_stay_where_they_are(seed, path, value):
    """Results of earlier versions can be had again only as long as these stay."""
    assert derive(seed, *path) == value


def test_path_is_kept_apart_at_its_joints():
    paths = [("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), ("bc", "a")]
    assert len({derive(0, *path) for path in paths}) == len(paths)
    assert derive(1, "2") != derive(12)
    assert derive(0, "a", 1) == derive(0, "a", "1")


def test_seeds_fit_in_63_bits():
    assert all(0 <= derive(seed, "x") < 2**63 for seed in (-1, 0, 1, 2**70))


def test_generators_draw_what_the_path_says():
    assert torch_generator(0, "a").initial_seed() == derive(0, "a")
    first, again, other = (torch.rand(4, generator=torch_generator(0, p)) for p in "aab")
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert numpy_generator(0, "a").random() == numpy_generator(0, "a").random()
    assert numpy_generator(0, "a").random() != numpy_generator(0, "b").random()
