import pytest
from tuned import tuned_state

from vaesearch.errors import InputError
from vaesearch.search.tuning.importances import common_epoch, importances, ranked


def shares(found):
    return {row.name: row.share for row in found.rows}


def test_what_moves_the_objective_is_found():
    """Of the formula of tests/tuned.py: alpha rules consistency, the batch size nothing."""
    state = tuned_state(trials=120, objectives=("bpd", "consistency"))
    bpd, consistency = importances(state)
    assert (bpd.objective, consistency.objective) == ("bpd", "consistency")
    assert consistency.rows[0].name == "alpha"
    assert shares(consistency)["alpha"] > 0.8
    for found in (bpd, consistency):
        assert sum(shares(found).values()) == pytest.approx(1)
        assert shares(found)["batch_size"] < 0.1
        assert all(row.low <= row.share <= row.high for row in found.rows)


def test_groups_count_as_a_parameter():
    (found,) = importances(tuned_state(trials=120, groups=("mlp", "deconv", "residual")))
    assert shares(found)["decoder"] > 0.05
    (alone,) = importances(tuned_state(trials=40))
    assert "decoder" not in shares(alone)


def test_too_few_trials_say_nothing():
    (found,) = importances(tuned_state(trials=15))
    assert found.rows == ()
    assert found.remark == "13 trials are too few to tell which parameters matter: it takes 20."


def test_how_they_came_about_is_said():
    (found,) = importances(tuned_state(trials=60))
    assert f"the best 5 of {found.trials} trials" in found.remark
    assert f"{found.reached} by their best value up to epoch {found.epoch};" in found.remark


def test_the_same_search_gives_the_same_figures():
    state = tuned_state(trials=40)
    assert importances(state) == importances(state)


@pytest.mark.slow
def test_fanova_agrees_on_what_rules():
    (_, found) = importances(tuned_state(trials=60, objectives=("bpd", "consistency")), "fanova")
    assert found.rows[0].name == "alpha"


def test_an_unknown_evaluator_is_refused():
    with pytest.raises(InputError, match="ped-anova"):
        importances(tuned_state(trials=5), "anova")


@pytest.mark.parametrize(
    ("epochs", "wanted", "epoch"),
    [([], 3, 0), ([4], 3, 4), ([9, 1, 1, 1], 1, 9), ([9, 1, 1, 1], 2, 1), ([3, 2, 1], 9, 1)],
)
def test_the_common_epoch_is_the_largest_that_enough_got_to(epochs, wanted, epoch):
    assert common_epoch(epochs, wanted) == epoch


def test_trials_are_ranked_by_epochs_got_and_then_by_value():
    state = tuned_state(trials=60)
    arms = ranked([a for a in state.arms.values() if a.reports], "bpd", 9)
    keys = [
        (-min(a.epoch, 9), min(r.metrics["bpd"] for r in a.reports if r.epoch <= 9)) for a in arms
    ]
    assert keys == sorted(keys)
