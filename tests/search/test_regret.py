import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaesearch.search.regret import (
    Trace,
    checkpoint_regret,
    epochs_saved,
    identification_regret,
    make_trace,
    near,
    oracle,
    oracle_epochs,
    uniform_epochs,
)

# "turns" is best after two epochs, "late" after five, and "fails" cannot go beyond its second.
CURVES = {
    "turns": [-4.0, -3.0, -3.5, -3.6, -3.7],
    "late": [-5.0, -4.5, -4.0, -3.5, -2.0],
    "fails": [-6.0, -5.0],
}


def walk(*arms, failed=None):
    """The trace of a search that pulled these arms, one epoch each, in this order."""
    done = dict.fromkeys(CURVES, 0)
    epochs = []
    for arm in arms:
        done[arm] += 1
        epochs.append((arm, done[arm], CURVES[arm][done[arm] - 1]))
    return make_trace(epochs, failed)


def test_what_is_handed_out_is_the_best_checkpoint_by_then():
    trace = walk("late", "turns", "turns", "turns", "late")
    assert [trace.found(n) and trace.found(n).reward for n in range(6)] == [
        None, -5.0, -4.0, -3.0, -3.0, -3.0
    ]  # fmt: skip
    assert (trace.found().arm, trace.found().epoch, trace.found().spent) == ("turns", 2, 3)


def test_the_first_epochs_of_a_search_are_a_search():
    trace = walk("turns", "late", "turns", "late", failed={"late": 2, "turns": 4})
    assert trace.first(2) == walk("turns", "late", failed={"late": 2})
    assert trace.first(9) == trace


def test_progress_is_what_was_found_after_every_epoch():
    # "turns" leads, fails, and "late" takes its place, which "fails" never gets.
    trace = walk(
        "turns", "late", "turns", "turns", "fails", "late", failed={"turns": 3, "fails": 4}
    )
    assert trace.progress() == [trace.found(n) for n in range(1, 7)]
    assert [step.arm for step in trace.progress()] == ["turns", "turns", *["late"] * 4]
    assert walk("turns", failed={"turns": 0}).progress() == [None]


def test_of_equal_checkpoints_the_first_is_handed_out():
    assert make_trace([("a", 1, -1.0), ("b", 1, -1.0)]).found().arm == "a"


def test_a_failed_arm_is_handed_out_only_until_it_fails():
    trace = walk("turns", "late", "turns", failed={"turns": 3})
    assert trace.found(2).arm == "turns"
    assert trace.found(3).arm == "late"
    assert walk("turns", failed={"turns": 1}).found() is None


def test_until_is_the_first_step_that_is_as_good():
    trace = walk("late", "turns", "turns", "turns")
    assert trace.until(-3.2).spent == 3
    assert trace.until(-1.0) is None


def test_the_oracle_knows_the_arm_for_its_budget():
    assert (oracle(CURVES).arm, oracle(CURVES).epoch) == ("late", 5)
    assert (oracle(CURVES, 4).arm, oracle(CURVES, 4).epoch) == ("turns", 2)


def test_within_one_per_cent_on_both_sides_of_zero():
    assert near(-2.0) == pytest.approx(-2.02)
    assert near(2.0) == pytest.approx(1.98)
    assert near(0.0) == 0.0


def test_regret_of_a_checkpoint_and_of_an_arm_by_hand():
    found = walk("turns", "turns", "late").found()
    assert checkpoint_regret(found, CURVES) == 1.0  # -2.0 was there, -3.0 was found
    assert checkpoint_regret(found, CURVES, epochs=3) == 0.0  # nobody can do better in three
    assert identification_regret("late", CURVES) == 0.0
    assert identification_regret("turns", CURVES) == 1.0
    assert identification_regret("late", CURVES, cap=4) == 0.5


def test_regret_on_test_images_of_what_was_chosen_on_validation():
    test = {"turns": [-4.1, -3.3], "late": [-5.1, -3.2]}
    found = make_trace([("turns", 1, -4.0), ("turns", 2, -3.0)]).found()
    assert checkpoint_regret(found, test) == pytest.approx(0.1)


def test_training_all_equally_until_one_is_as_good_by_hand():
    # -3.5 is first reached by "turns" in epoch 2: two epochs of each of the three arms.
    assert oracle_epochs(CURVES, -3.5) == 2
    assert uniform_epochs(CURVES, -3.5) == 6
    # -2.5 takes "late" five epochs; the arm that fails uses two of its five.
    assert uniform_epochs(CURVES, -2.5, failed=["fails"]) == 5 + 5 + 2
    # Had it not failed it would have been trained on, however far it was recorded.
    assert uniform_epochs(CURVES, -2.5) == 15
    assert uniform_epochs(CURVES, -1.0) is None


def test_epochs_saved_by_hand():
    # One look at each arm, then "late" to its end: it arrives with the seventh epoch.
    good = walk("fails", "turns", "late", "late", "late", "late", "late")
    assert epochs_saved(good, CURVES, failed=["fails"]) == 12 - 7
    # What was spent after the checkpoint was found does not count, for either.
    longer = walk("fails", "turns", "late", "late", "late", "late", "late", "turns", "turns")
    assert epochs_saved(longer, CURVES, failed=["fails"]) == 5
    # Three epochs for a loser first: -4.0 costs all arms equally one epoch each.
    assert epochs_saved(walk("late", "late", "late"), CURVES) == 3 - 3
    assert epochs_saved(walk("late", "late", "fails", "late"), CURVES) == 3 - 4
    assert epochs_saved(Trace(()), CURVES) is None


CURVE = st.lists(st.floats(-10, 10), min_size=1, max_size=8)


@given(st.lists(CURVE, min_size=1, max_size=5), st.data())
def test_the_oracle_is_never_beaten(rewards, data):
    curves = {str(i): curve for i, curve in enumerate(rewards)}
    pulls = data.draw(st.permutations([arm for arm, curve in curves.items() for _ in curve]))
    done, epochs = dict.fromkeys(curves, 0), []
    for arm in pulls:
        done[arm] += 1
        epochs.append((arm, done[arm], curves[arm][done[arm] - 1]))
    trace = make_trace(epochs)
    for spent in range(1, len(epochs) + 1):
        found = trace.found(spent)
        assert checkpoint_regret(found, curves, epochs=spent) >= 0
        assert oracle_epochs(curves, found.reward) <= found.spent
    assert checkpoint_regret(trace.found(), curves) == 0
