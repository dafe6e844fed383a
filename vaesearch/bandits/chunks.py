"""How many epochs a pull gets, so that switching between arms does not eat the budget."""

import math

from vaesearch.bandits.core import ArmHistory, History

SHARE = 0.05  # of the time for an arm's epochs: the most that switching to it may cost


def pull_epochs(history: History, arm: ArmHistory, wanted: int, chunk: int = 1) -> int:
    """Epochs for the next pull of ``arm``: what is wanted, or more where switching is dear.

    A pull costs s seconds beyond its n epochs of c seconds each. With a budget in seconds,

        n = max(wanted, chunk, ceil(s / (SHARE c)))

    and no more than fit in the time left; s and c are the arm's own medians, or those typical of
    the others until it has some. A worker that still holds the arm pays less than s, so n is on
    the safe side. With a budget in epochs alone n = max(wanted, chunk): no decision may depend on
    the clock there. The same where arms join during the search: most get a single look, and two
    epochs in place of one would cost more than switching does. The budget in epochs and the cap
    always hold.

    Args:
        history: at the moment of the decision.
        arm: one of its candidates.
        wanted: epochs that the policy decided on.
        chunk: least epochs per pull that the user asked for.
    """
    room = min(history.epochs_left, history.cap(arm) - arm.epochs)
    least = max(wanted, chunk)
    cost = arm.cost or history.typical_cost
    if history.budget.seconds is not None and cost:
        switch = arm.switch_cost
        switch = (history.typical_switch_cost or 0.0) if switch is None else switch
        if history.budget.trials is None:
            least = max(least, math.ceil(switch / (SHARE * cost)))
        room = min(room, (history.seconds_left - switch) // cost)
    return max(1, int(min(least, room)))
