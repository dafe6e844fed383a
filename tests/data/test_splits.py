import numpy as np
import pytest

from vaesearch.data.splits import held_out_limit, hold_out, split, validation_count


def numbered(count, start=0):
    """Images that are their own index."""
    return np.arange(start, start + count).reshape(count, 1, 1, 1)


@pytest.mark.parametrize("count", [20, 1437, 3000])
def test_split_is_disjoint_and_complete(count):
    train, valid, test = split(numbered(count), numbered(50, start=count))
    together = np.concatenate([train, valid, test]).ravel()
    assert sorted(together) == list(range(count + 50))
    assert sorted(test.ravel()) == list(range(count, count + 50))
    assert len(valid) == validation_count(count)


def test_split_is_shuffled_the_same_way_every_time():
    train, valid, test = split(numbered(400), numbered(50))
    again = split(numbered(400), numbered(50))
    for part, repeated in zip((train, valid, test), again, strict=True):
        np.testing.assert_array_equal(part, repeated)
        assert not np.array_equal(part, np.sort(part, axis=0))


def test_hold_out_divides():
    rest, held = hold_out(numbered(40), 0.1)
    assert (len(rest), len(held)) == (36, 4)
    assert sorted(np.concatenate([rest, held]).ravel()) == list(range(40))
    assert len(hold_out(numbered(3), 0.1)[1]) == 1


def test_held_out_limit_is_a_quarter_but_not_below_250():
    assert [held_out_limit(n) for n in (1, 1000, 1004, 20_000)] == [250, 250, 251, 5000]
