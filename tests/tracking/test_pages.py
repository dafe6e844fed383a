import json
from urllib.parse import parse_qs, unquote

from vaesearch.tracking.pages import MOST_COMPARED, Pages, compare_page

PAGES = Pages("7", "parent", "id-1", tuple(f"run{n}" for n in range(30)))


def test_the_comparison_names_its_runs_and_their_experiment():
    page, _, query = compare_page("7", ["a", "b"]).partition("?")
    assert page == "#/compare-runs"
    assert {k: json.loads(v[0]) for k, v in parse_qs(query).items()} == {
        "runs": ["a", "b"],
        "experiments": ["7"],
    }


def test_only_the_best_are_compared():
    query = parse_qs(PAGES.comparison.partition("?")[2])
    assert json.loads(query["runs"][0]) == list(PAGES.arms[:MOST_COMPARED])


def test_the_list_is_flat_sorted_and_of_one_search():
    page, _, query = PAGES.listing.partition("?")
    assert page == "#/experiments/7/runs"
    asked = parse_qs(query)
    assert "tags.`vaesearch.search_id` = 'id-1'" in asked["searchFilter"][0]
    assert asked["orderByKey"] == ["metrics.`best/reward`"]
    assert asked["orderByAsc"] == ["false"]


def test_the_parent_has_a_page():
    assert unquote(PAGES.parent) == "#/experiments/7/runs/parent"
