"""Whose fault it was that a worker is gone."""

from dataclasses import replace

import pytest

from vaesearch.search.backends.base import Lost
from vaesearch.search.backends.ray.losing import DOUBT_SECONDS, Doubts, why
from vaesearch.search.backends.ray.planning import Machine

MACHINE = Machine(4, 0, "a", "vm/a")
CRASH = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: Worker\n"
    "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR "
    "Worker exit detail: connection error code 2. Some common causes include: (1) OOM killer"
)


@pytest.mark.parametrize(
    ("error", "machine", "words", "blameless"),
    [
        (CRASH, MACHINE, "its process on vm/a died: Worker exit type: SYSTEM_ERROR", False),
        (CRASH, replace(MACHINE, alive=False), "vm/a went away", True),
        (CRASH, replace(MACHINE, draining=True), "vm/a went away", True),
        ("The actor died because its node has died.", MACHINE, "vm/a went away", True),
        (CRASH, None, "its process on its machine died", False),
        ("exceeds the memory usage threshold of 0.95", MACHINE, "ran out of memory", False),
        (
            "raised in its creation task, x\nImportError: no zuko",
            MACHINE,
            "died: ImportErr",
            False,
        ),
    ],
)
def test_a_line_and_a_verdict(error, machine, words, blameless):
    text, verdict = why(error, machine)
    assert words in text
    assert "common causes" not in text
    assert verdict == blameless


def test_a_loss_is_held_back_until_its_machine_had_time_to_go():
    doubts = Doubts()
    doubts.add(Lost("w", None, "died"), "a", CRASH, 10.0)
    assert not doubts.settled(10.0 + DOUBT_SECONDS - 0.1, lambda node: MACHINE)
    [lost] = doubts.settled(10.0 + DOUBT_SECONDS, lambda node: MACHINE)
    assert not lost.blameless
    assert not doubts


def test_a_machine_that_goes_meanwhile_takes_the_blame():
    doubts = Doubts()
    doubts.add(Lost("w", None, "died"), "a", CRASH, 10.0)
    [lost] = doubts.settled(10.5, lambda node: replace(MACHINE, alive=False))
    assert lost.blameless
    assert lost.error == "vm/a went away"
