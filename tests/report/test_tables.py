import json
from dataclasses import replace

import pytest

from vaesearch.bandits.core import Budget
from vaesearch.report.tables import Row, ranking_table, results, to_markdown
from vaesearch.search.state import fold


def test_results_say_how_the_search_went(state):
    content = results(state)
    arms = content.pop("arms")
    assert content == {
        "best_arm": "deconv", "policy": "ucb", "seed": 7, "reward": "bpd", "epochs": 6,
        "seconds": 12.0, "reason": "6 of 6 epochs are spent",
    }  # fmt: skip
    assert [a["name"] for a in arms] == ["deconv", "mlp", "late", "linear"]


def test_results_of_an_arm(state):
    arm = results(state)["arms"][0]
    assert arm.pop("settings")["decoder"] == "mlp"
    assert arm == {
        "name": "deconv", "epochs": 3, "reward": -2.9131, "best_epoch": 2, "seconds": 6.0,
        "status": "open", "note": "", "parameters": 1234, "flops": None,
        "metrics": {"bpd": 2.9131, "mse": 0.01}, "test": {"bpd": 2.9566, "mse": None},
        "curve": [-90.0, -2.9131, -3.0],
    }  # fmt: skip


def test_results_survive_strict_json(state):
    content = results(state)
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_an_untrained_arm_has_no_figures(state):
    arm = next(a for a in results(state)["arms"] if a["name"] == "late")
    assert (arm["reward"], arm["best_epoch"], arm["metrics"], arm["curve"]) == (None, None, {}, [])


def test_a_running_search_recommends_its_leader(events):
    content = results(fold(events[:-1], Budget(epochs=9)))
    assert (content["best_arm"], content["reason"]) == ("deconv", None)


def test_an_empty_search_has_no_best_arm(events):
    state = fold(events[:1], Budget(epochs=6))
    assert results(state)["best_arm"] is None
    assert ranking_table(state).rows == ()


def test_ranking_rows_are_written_out(state):
    assert ranking_table(state).rows == (
        Row("1", "deconv", "3", "2", "2.913", "2.957", "2.0", "50%", ""),
        Row("2", "mlp", "2", "2", "3.500", "-", "2.0", "33%", "cut: below the better half"),
        Row("-", "late", "0", "-", "-", "-", "-", "0%", "untrained"),
        Row("-", "linear", "1", "1", "5.000", "-", "2.0", "17%",
            "failed: loss is nan at | step 12"),
    )  # fmt: skip


@pytest.mark.parametrize("reward", ["elbo", "reconstruction"])
def test_rewards_in_nats_keep_their_sign(state, reward):
    state = replace(state, config=state.config | {"reward": reward})
    assert ranking_table(state).rows[0].validation == "-2.9"


def test_markdown_escapes_what_would_break_the_table(state):
    lines = to_markdown(ranking_table(state)).splitlines()
    assert lines[0].startswith("| rank | arm | epochs | best epoch | validation bits/dim |")
    assert lines[1] == "| --: | --- | --: | --: | --: | --: | --: | --: | --- |"
    assert lines[-1].endswith(r"| failed: loss is nan at \| step 12 |")
    assert len(lines) == 2 + 4
