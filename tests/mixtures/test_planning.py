"""Which numbers of components are tried, and which of them is chosen."""

import math

import pytest

from vaesearch.errors import InputError
from vaesearch.mixtures.asking import Asked, read_values, values_of
from vaesearch.mixtures.planning import around_best, best_of, carry_out, doubling
from vaesearch.records import Estimate
from vaesearch.search.mixtures import Basis, Fit
from vaesearch.search.tuning.components import propose_number
from vaesearch.space import Choice, Float, Int

BASIS = Basis("digest", "data", 0, 100, 100, "0.1.0")


def fit(components, loglik=0.0, error=0.1, bic=0.0, fid=None, failed=""):
    figures = {"loglik": Estimate(loglik, error), "bic": Estimate(bic)}
    if fid is not None:
        figures["fid"] = Estimate(fid, 0.1)
    return Fit(components, BASIS, figures, failed=failed)


class Hill:
    """Fits whose scores are best at ``peak``; remembers what was asked for."""

    def __init__(self, peak, bic_peak=None):
        self.peak, self.bic_peak = peak, bic_peak or peak
        self.asked = []

    def __call__(self, components, pictured):
        self.asked.append((components, pictured))
        away = math.log(components / self.peak) ** 2
        bic = math.log(components / self.bic_peak) ** 2
        return fit(components, -away, 0.01, bic, away if pictured else None)


def test_few_numbers_are_all_tried():
    hill = Hill(3)
    assert list(carry_out(Asked((1, 2, 5, 10)), 0, hill)) == [1, 2, 5, 10]
    assert hill.asked == [(m, False) for m in (1, 2, 5, 10)]


@pytest.mark.parametrize("peak", [1, 7, 23, 90, 200])
def test_of_many_numbers_the_best_is_nearly_found_in_twenty(peak):
    scored = carry_out(Asked(tuple(range(1, 201))), 0, Hill(peak))
    assert len(scored) == 20
    best, _ = best_of(scored, "loglik")
    assert abs(math.log(best / peak)) < math.log(1.15)


def test_the_same_seed_asks_the_same_and_another_does_not():
    asked = Asked(tuple(range(1, 201)))
    first, again, other = (list(carry_out(asked, seed, Hill(23))) for seed in (0, 0, 1))
    assert first == again != other
    assert first[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 200]


def test_fewer_trials_than_doubles_span_the_range():
    scored = carry_out(Asked(tuple(range(1, 201)), trials=3), 0, Hill(23))
    assert list(scored) == [1, 16, 200]
    assert list(carry_out(Asked(tuple(range(1, 201)), trials=1), 0, Hill(23))) == [1]


def test_pictures_begin_where_bic_is_best():
    hill = Hill(60, bic_peak=15)
    scored = carry_out(Asked(tuple(range(1, 201)), by="fid", trials=6), 0, hill)
    guided = [m for m, pictured in hill.asked if not pictured]
    assert guided == [1, 2, 4, 8, 16, 32, 64, 128, 200]
    assert list(scored)[:3] == [16, 8, 32]
    assert len(scored) == 6
    assert all("fid" in f.figures for f in scored.values())


def test_a_failed_fit_neither_stops_the_study_nor_is_chosen():
    def make(components, pictured):
        return fit(components, 9.0, failed="singular") if components > 8 else fit(components, 1.0)

    scored = carry_out(Asked(tuple(range(1, 65))), 0, make)
    assert len(scored) == 20
    assert best_of(scored, "loglik")[0] == 1
    assert best_of({9: make(9, False)}, "loglik") is None
    assert around_best({m: make(m, False) for m in (16, 32)}) == [16, 32]


def test_the_least_within_one_standard_error_is_named():
    fits = {m: fit(m, loglik, error) for m, loglik, error in
            [(1, -9.0, 0.5), (4, -5.2, 0.5), (8, -5.0, 0.3), (16, -5.6, 0.5)]}  # fmt: skip
    assert best_of(fits, "loglik") == (8, 4)
    assert best_of(fits, "bic") == (1, None)


def test_of_equals_the_least_is_chosen():
    assert best_of({m: fit(m, -1.0) for m in (4, 2, 8)}, "loglik")[0] == 2


def test_doubles_follow_the_numbers_there_are():
    assert doubling([3]) == [3]
    assert doubling([5, 10, 15, 20, 25]) == [5, 10, 20, 25]
    assert doubling([1, 100]) == [1, 100]


def test_a_proposal_is_pure_and_in_range():
    known = [(1, -4.0), (8, None), (64, -1.0)]
    numbers = [propose_number(1, 64, seed, known, log=True) for seed in range(20)]
    assert numbers == [propose_number(1, 64, seed, known, log=True) for seed in range(20)]
    assert all(1 <= number <= 64 for number in numbers)
    assert len(set(numbers)) > 3


def test_numbers_are_read():
    assert read_values("1..4") == ((1, 2, 3, 4), False)
    assert read_values("2..3:log") == ((2, 3), True)
    assert read_values("5,1,5") == ((1, 5), True)
    assert values_of(Int(2, 8, log=True, step=3)) == ((2, 5, 8), True)
    assert values_of(Choice((9, 3))) == ((3, 9), True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "1 component or more, not 0"),
        ("0..4", "1 component or more, not 0"),
        ("5..2", "5..2 are an empty range"),
        ("", "takes whole numbers, as in"),
        ("1..x", "not '1..x'"),
        ("1..9:linear", "not '1..9:linear'"),
        ("1.5", "not '1.5'"),
        ("1,2:log", "not '1,2:log'"),
    ],
)
def test_what_is_no_range_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        read_values(text)


def test_a_space_of_other_than_whole_numbers_is_refused():
    for domain in (Float(1.0, 9.0), Choice(("1", "2"))):
        with pytest.raises(InputError, match="gmm_components takes whole numbers"):
            values_of(domain)


def test_more_than_the_images_bear_is_refused_or_left_out():
    asked = Asked((1, 4, 16))
    with pytest.raises(InputError, match=r"arm: 16 components need 4 .* with 400 ask for 10 at"):
        asked.check("arm", 400, 10)
    assert asked.clipped(400, 10).values == (1, 4)
    assert Asked((11,)).clipped(400, 10) is None
    assert Asked((1, 4), images=100).most(400, 10) == 2
