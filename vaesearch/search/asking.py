"""Asking a policy, and refusing an answer that cannot be carried out.

Ours keep to the contract; one of a user's may not, and must not spoil a ledger.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np

from vaesearch.bandits.core import ArmHistory, Decision, History, Policy
from vaesearch.errors import PolicyError

SHOWN = 8


def ask(policy: Policy, history: History, rng: np.random.Generator) -> Decision:
    """The decision of ``policy``, with plain numbers in it.

    Raises:
        PolicyError: it raised an error, or decided what is not allowed. Nothing was changed.
    """
    name = type(policy).__qualname__
    try:
        answer = policy.choose(history, rng)
    # Whatever a user's policy may raise: the search itself is as sound as before.
    except Exception as error:
        raise PolicyError(
            f"policy {name} failed at decision {history.decisions}: "
            f"{type(error).__name__}: {error}\n{_GO_ON}"
        ) from error
    fault = fault_of(answer, history)
    if fault is not None:
        raise PolicyError(f"policy {name}, decision {history.decisions}: {fault}\n{_GO_ON}")
    values = {arm: float(value) for arm, value in answer.values.items()}
    return replace(answer, epochs=int(answer.epochs), values=values)


_GO_ON = "The search is as before: resume it with the policy mended, or with another --policy."


def fault_of(answer: Any, history: History) -> str | None:
    """What is wrong with an answer, and what is allowed; None if nothing is."""
    if not isinstance(answer, Decision):
        return f"returned {_short(answer)}; it must return a vaesearch.bandits.core.Decision."
    if not isinstance(answer.reason, str):
        return f"reason is {_short(answer.reason)}; it must be text."
    return _fault_of_cuts(answer, history) or _fault_of_pull(answer, history)


def _fault_of_pull(answer: Decision, history: History) -> str | None:
    unsound = next((arm for arm, v in answer.values.items() if not _is_finite(v)), None)
    if unsound is not None:
        value = answer.values[unsound]
        return f"values[{unsound!r}] is {_short(value)}; it must be a finite number."
    unknown = answer.values.keys() - {a.name for a in history.arms}
    if unknown:
        return f"values name {min(map(repr, unknown))}, which is no arm; {_arms(history.arms)}."
    if answer.arm is None:
        return None
    why = _why_not(answer.arm, history) or ("is cut as well" if answer.arm in answer.cut else "")
    if why:
        return f"chose arm {_short(answer.arm)}, which {why}; {_arms(history.candidates)}."
    epochs = answer.epochs
    if not isinstance(epochs, Integral) or isinstance(epochs, bool) or epochs < 1:
        return f"gave {answer.arm} epochs={_short(epochs)}; it must be an integer of at least 1."
    return None


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def _why_not(name: Any, history: History) -> str | None:
    """Why the arm may not be pulled; None if it may."""
    arm = _lookup(name, history)
    if arm is None:
        return "is unknown"
    if arm.status != "open":
        return "was cut" if arm.status == "cut" else "has failed"
    if arm.pending:
        return "is in flight already"
    if arm.epochs >= history.cap(arm):
        return f"has all the {arm.epochs} epochs that it may have"
    if not history.in_time(arm):
        return f"takes {arm.cost or 0.0:.3g} s per epoch with {history.seconds_left:.3g} s left"
    return None


def _fault_of_cuts(answer: Decision, history: History) -> str | None:
    if not isinstance(answer.cut, Mapping) or not isinstance(answer.values, Mapping):
        return "cut and values must be mappings by name of arm."
    for name, reason in answer.cut.items():
        arm = _lookup(name, history)
        # One that is in flight may be cut: its pull still comes home and counts.
        if arm is None or arm.status != "open":
            why = "is unknown" if arm is None else "is closed already"
            still = [a for a in history.arms if a.status == "open"]
            return f"cuts arm {_short(name)}, which {why}; {_arms(still)}."
        if not isinstance(reason, str):
            return f"cuts arm {name} for {_short(reason)}; the reason must be text."
    return None


def _lookup(name: Any, history: History) -> ArmHistory | None:
    try:
        return history.arm(name)
    except (KeyError, TypeError):  # TypeError: not even a possible key
        return None


def _arms(allowed: Any) -> str:
    names = [arm.name for arm in allowed]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"allowed: {', '.join(names[:SHOWN]) or 'none'}{more}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
