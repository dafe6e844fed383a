"""The law of the report's draws, and what is made of them."""

import bandit_page
import numpy as np
import pytest
from bandit_page import K, leader, stays


@pytest.mark.parametrize(
    ("passes", "shares"), [(3, (0.573, 0.107)), (5, (0.648, 0.088)), (1, (0.2, 0.2))]
)
def test_law_is_that_of_a_leader_that_stays(passes, shares):
    found = bandit_page.law(passes)
    assert found == pytest.approx(shares, abs=5e-4)
    assert found[0] + (K - 1) * found[1] == pytest.approx(1)


def test_spread_is_that_of_such_draws():
    rng = np.random.default_rng(0)
    first = rng.integers(K, size=(4000, 40)) == 0
    later = (rng.random((4000, 80)) > bandit_page.EPSILON) | (
        rng.integers(K, size=(4000, 80)) == 0
    )
    shares = np.concatenate([first, later], axis=1).mean(axis=1)
    assert shares.mean() == pytest.approx(bandit_page.law(3)[0], abs=0.003)
    assert shares.std() == pytest.approx(bandit_page.spread(3, 120), rel=0.05)


def run(*leaders):
    by_pass = [{name: 1 + 9 * (name == led) for name in bandit_page.NAMES} for led in leaders]
    total = {name: sum(done[name] for done in by_pass) for name in bandit_page.NAMES}
    return {"draws_by_pass": by_pass, "draws": total, "batches": sum(total.values())}


def test_leader_stays_whatever_the_first_pass_was():
    assert stays(run("mlp", "deconv", "deconv"))
    assert leader(run("mlp", "deconv", "deconv")) == "deconv"
    assert not stays(run("deconv", "deconv", "mlp"))


def test_best_is_judged_by_bits_after_equal_training():
    bits = dict(zip(bandit_page.NAMES, (3.0, 2.0, 2.009, 2.02, 2.5), strict=True))
    found = {"equal": {"test_bpd": bits}}
    assert bandit_page.best_of(found) == "mlp-wide"
    right = [name for name in bandit_page.NAMES if bandit_page.is_right(found, name)]
    assert right == ["mlp-wide", "deconv-deep"]
