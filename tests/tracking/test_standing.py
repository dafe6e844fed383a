from vaesearch.search.state import SearchState, advance
from vaesearch.tracking.pages import MOST_COMPARED, Pages
from vaesearch.tracking.standing import CURRENT, moved, note, ranks

PAGES = Pages("7", "parent", "id-1", ("a", "b"))


def state_of(search):
    state = SearchState()
    for event in search.ledger.events:
        state = advance(state, event)
    return state


def test_ranks_follow_the_ranking_and_failed_arms_come_last(search):
    search.example()
    expected = {"deconv": "1", "mlp": "2", "wide+mlp": "3", "bad": "4"}
    assert ranks(state_of(search)) == expected


def test_only_ranks_among_the_first_are_told_at_once():
    before = {str(n): str(n) for n in range(1, 31)}
    after = before | {"30": "1"} | {str(n): str(n + 1) for n in range(1, 30)}
    told = moved(before, after)
    assert set(told) == {"30", *(str(n) for n in range(1, CURRENT + 1))}
    assert moved(after, after) == {}
    assert moved({}, {"new": "3", "far": "300"}) == {"new": "3"}


def test_the_note_ranks_and_links(search):
    text = note(state_of(search.example()), PAGES)
    assert text.startswith("**deconv** is best after 8 epochs on digits.")
    assert "[Compare these 4 arms](#/compare-runs?runs=%5B%22a%22%2C%22b%22%5D" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows[0] == "| 1 | deconv | -5 | 2 | 3 | finished |"
    assert rows[3].endswith("| failed |")


def test_a_search_that_has_just_begun_has_no_best(search):
    text = note(state_of(search.start("mlp", "a|b")), PAGES)
    assert text.startswith("No arm is trained yet after 0 epochs")
    assert "a\\|b" in text


def test_the_note_of_a_thousand_arms_fits_into_a_tag(search):
    many = [f"trial-{n:04d}" for n in range(1000)]
    state = state_of(search.start(*many))
    pages = Pages("1", "p", "id-1", tuple(f"{n:032d}" for n in range(1000)))
    text = note(state, pages)
    assert f"the best {MOST_COMPARED} arms" in text
    assert len(text) < 8000


def test_bits_per_dim_are_shown_where_they_are_the_reward(search):
    state = state_of(search.start("mlp").pull("mlp", -2.5))
    shown = note(SearchState(**{**vars(state), "config": {"reward": "bpd"}}), PAGES)
    assert "| bits/dim |" in shown
    assert "| 1 | mlp | 2.5 | 1 | 1 | running |" in shown
