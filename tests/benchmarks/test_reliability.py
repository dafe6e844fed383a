"""What a disturbed search lost is told from its ledger, and laid to what was done to it."""

from chaos.accounts import attempts, losses
from chaos.agent import Strike
from chaos.page import between, report

from vaesearch.events import PullFailed, PullFinished, PullStarted, SearchResumed


def started(pull, time, epochs=2, attempt=1):
    return PullStarted(pull, "mlp", 0, epochs, "w", attempt, time=time)


def finished(pull, time):
    return PullFinished(pull, "mlp", [], {}, "w", time=time)


def failed(pull, time):
    return PullFailed(pull, "mlp", "gone", time=time)


def test_every_dispatch_has_an_end():
    events = [started(0, 1), failed(0, 2), started(1, 3), started(0, 3, attempt=2),
              SearchResumed("0", time=5), started(1, 6), finished(1, 7)]  # fmt: skip
    events.append(started(0, 8))
    ends = [(a.pull, a.end, a.until) for a in attempts(events)]
    assert ends == [
        (0, "failed", 2), (1, "dropped", 5), (0, "dropped", 5), (1, "finished", 7), (0, "open", 0),
    ]  # fmt: skip


def test_a_pull_that_is_dispatched_while_it_flies_is_found():
    ends = [a.end for a in attempts([started(0, 1), started(0, 2), finished(0, 3)])]
    assert ends == ["twice", "finished"]


def test_a_strike_explains_as_many_losses_as_it_hit_workers():
    events = [started(0, 10), started(1, 10), failed(0, 12), failed(1, 12), started(0, 14)]
    events += [finished(0, 15), started(1, 15), finished(1, 16)]
    [first, second] = losses(events, [Strike("kill node", 11, 11, hit=1)])
    assert first.strike is not None
    assert first.seconds == 14 - 11
    assert second.strike is None


def test_losses_are_laid_to_strikes_of_their_kind_and_time():
    events = [started(0, 10), SearchResumed("0", time=20), started(0, 21), failed(0, 30)]
    events += [started(0, 31), finished(0, 32)]
    strikes = [Strike("kill worker", 2, 2, 1), Strike("kill driver", 15, 15, 1),
               Strike("add node", 16, 17), Strike("hang worker", 22, 22, 1)]  # fmt: skip
    assert [loss.strike.kind for loss in losses(events, strikes)] == ["kill driver", "hang worker"]


def test_the_page_counts_what_was_done_and_what_broke():
    strikes = [{"kind": "kill node", "hit": 1}, {"kind": "cut power", "hit": 1},
               {"kind": "add node", "hit": 0}]  # fmt: skip
    lost = [{"kind": "kill node", "epochs": 3, "seconds": 2.5}]
    from chaos.checks import CHECKS

    outcome = {
        "number": 1, "seconds": 50.0, "chunk": 3, "epochs": 240, "trouble": None, "drivers": 1,
        "checks": dict.fromkeys(CHECKS, True) | {"budget": False}, "strikes": strikes,
        "losses": lost,
    }  # fmt: skip
    page = report([outcome])
    assert "| kill node | 1 | 1 | 1 | 3 | 2.5 (2.5-2.5) |" in page
    assert "| 1 | 50 | 3 | 1 | 2 | 0 | 0 | 0 | 1 | 3 | budget |" in page
    assert "| the search ended | 1 of 1 |" in page
    assert "| the ledger has exactly the epochs of the budget | 0 of 1 |" in page


def test_figures_replace_what_is_between_the_marks():
    page = "before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n"
    put = between(page, "new")
    assert put == "before\n<!-- figures -->\n\nnew\n\n<!-- end of figures -->\nafter\n"
    assert between(put, "new") == put
