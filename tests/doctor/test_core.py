import threading

from vaesearch.doctor.core import Check, Finding, Question, examine, fail, ok, warning


def test_findings_come_in_the_order_of_the_checks_and_none_is_lost():
    gate = threading.Event()

    def slow(question):
        gate.wait(30)
        yield ok("slow", question.dataset)

    def quick(question):
        yield warning("quick", "seen", "cure")
        gate.set()  # the two run side by side, or the first would wait for ever
        yield fail("quick", "seen", "cure")

    found = list(examine(Question(dataset="x"), [Check("slow", slow), Check("quick", quick)]))
    assert [(f.name, f.state) for f in found] == [
        ("slow", "ok"), ("quick", "warning"), ("quick", "FAIL"),
    ]  # fmt: skip
    assert found[0].seen == "x"


def test_a_check_that_hangs_costs_a_line():
    never = threading.Event()

    def hangs(question):
        never.wait()
        yield ok("x", "")

    checks = [Check("dead", hangs, limit=0.05), Check("alive", lambda q: [ok("alive", "")])]
    dead, alive = examine(Question(), checks)
    assert (dead.name, dead.state, dead.seen) == ("dead", "FAIL", "no answer within 0.05 s")
    assert alive.state == "ok"
    never.set()


def test_a_check_that_breaks_is_told_as_its_own_fault():
    def breaks(question):
        raise KeyError("x")

    [found] = examine(Question(), [Check("broken", breaks)])
    assert found.state == "FAIL"
    assert "KeyError" in found.seen
    assert "fault of the check" in found.cure


def test_a_finding_survives_the_way_from_a_cluster():
    found = warning("disk", "little", "make room")
    assert Finding(**found.to_dict()) == found
