"""Settings of a search beside defaults: the front, what is chosen, what the page says."""

from dataclasses import asdict

import pytest
from tuning import candidates, search_page
from tuning.candidates import DEFAULT, FRONT, Candidate, on_front, points_of
from tuning.landscape import Landscape, Problem
from tuning.retraining import Retrained, retrain
from tuning.search_page import Found, report, verdict

from vaesearch.bandits.core import Budget
from vaesearch.events import ArmAdded, DecisionMade, PullFinished
from vaesearch.records import EpochReport, TrialSettings
from vaesearch.search.state import fold

SETTINGS = TrialSettings("mlp", latent_dim=4, batch_size=64, width=0.1)


def searched(*figures):
    """A search with an arm of one epoch for each pair of bits/dim and consistency."""
    events = []
    for number, (bpd, consistency) in enumerate(figures):
        name = f"trial-{number:03d}"
        metrics = {"bpd": bpd, "consistency": consistency}
        epoch = asdict(EpochReport(1, -bpd, 1.0, metrics))
        events += [
            ArmAdded(name, asdict(SETTINGS), 9, trial=number, group="mlp"),
            DecisionMade(name, 1, "", []),
            PullFinished(number, name, [epoch], {"1": "digest"}, "local"),
        ]
    return fold(events, Budget())


def scores(name, *figures):
    """Figures on test images; those on validation are a tenth less."""
    return [
        Retrained(name, seed, 3, bpd - 0.1, kl - 0.1, bpd, kl)
        for seed, (bpd, kl) in enumerate(figures)
    ]


def found(**figures):
    every = [
        Candidate(name.replace("_", " "), DEFAULT if "default" in name else FRONT, SETTINGS)
        for name in figures
    ]
    known = {c.name: scores(c.name, *v) for c, v in zip(every, figures.values(), strict=True)}
    points = points_of(searched((2.0, 9.0), (3.0, 4.0), (3.5, 8.0)))
    return Found("About.", "python search.py", "default mlp", every, points, known)


def test_the_front_is_what_no_other_trial_beats_in_both():
    points = points_of(searched((2.0, 9.0), (3.0, 4.0), (3.5, 8.0), (1.5, 9.5)))
    assert [p.on_front for p in points] == [True, True, False, True]
    assert points[1].bpd == 3.0
    assert points[1].consistency == 4.0


def test_a_long_front_is_thinned_out_and_keeps_its_ends():
    state = searched(*[(2.0 + i, 9.0 - i) for i in range(9)])
    chosen = on_front(state, 3)
    assert [c.name for c in chosen] == ["trial-000", "trial-004", "trial-008"]
    assert len(on_front(state, 20)) == 9


def test_members_that_no_default_is_as_bad_as_are_left_out():
    state = searched((2.0, 9.0), (2.5, 5.0), (3.4, 0.1))
    assert [c.name for c in on_front(state, 6, worst=2.6)] == ["trial-000", "trial-001"]
    assert [c.name for c in on_front(state, 6, worst=1.0)] == ["trial-000"]
    assert candidates.worst_of(state) == 3.4


def test_candidates_are_kept_on_file(tmp_path):
    every = [Candidate("trial-001", FRONT, SETTINGS, {"latent_dim": 4, "alpha": 0.5})]
    candidates.write(every, tmp_path / "candidates.json")
    assert candidates.read(tmp_path / "candidates.json") == every


def test_defaults_are_those_of_the_product():
    landscape = Landscape(Problem(decoder="mlp,deconv", train_limit=128), 0)
    plain = candidates.defaults(landscape.config)
    assert [c.name for c in plain] == ["default mlp", "default deconv"]
    assert [c.settings.alpha for c in plain] == [0.0, 0.0]
    assert {c.settings.latent_dim for c in plain} == {16}


def test_chosen_is_the_best_in_bits_of_those_that_beat_the_reference_in_both():
    result = found(
        default_mlp=[(3.0, 8.0)], low=[(2.5, 9.0)], both=[(2.9, 7.0)], also=[(2.8, 7.5)]
    )
    assert result.chosen == "also"
    assert "`also`, chosen on validation, beats `default mlp`" in verdict(result)
    assert "2.800 against 3.000 bits/dim, 7.50 against 8.00 nats" in verdict(result)


def test_a_conflict_is_called_one():
    result = found(default_mlp=[(3.0, 8.0)], low=[(2.5, 9.0)], consistent=[(3.1, 2.0)])
    assert result.chosen is None
    assert "the two conflict" in verdict(result)


def test_the_page_has_all_candidates_and_the_front(tmp_path):
    result = found(default_mlp=[(3.0, 8.0), (3.2, 8.2)], both=[(2.9, 7.0), (2.8, 7.2)])
    text = report(result)
    assert "| default mlp * | mlp, 4, 0, 0.001 | 3.100 (3.000-3.200) |" in text
    assert "| both + |" in text
    assert "3 trials: mlp 3 (3 epochs)." in text
    search_page.picture(result, tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 5000


def test_training_again_measures_the_best_epoch():
    landscape = Landscape(Problem(train_limit=128), 0)
    candidate = Candidate("trial-000", FRONT, SETTINGS)
    one = retrain(candidate, landscape.data, landscape.data.test, seed=5, epochs=2)
    other = retrain(candidate, landscape.data, landscape.data.test, seed=6, epochs=2)
    assert one == retrain(candidate, landscape.data, landscape.data.test, seed=5, epochs=2)
    assert one.test_bpd != other.test_bpd
    assert one.epoch == 2
    assert one.test_consistency > 0
    state = landscape.start(landscape.arm(0, {}))
    assert one.valid_bpd != pytest.approx(landscape.test(state.model, SETTINGS))
