"""What MLflow shows of the trials of a tuned search."""

import pytest
from story import Story

from vaesearch.search.ledger import Ledger
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState, advance
from vaesearch.tracking.trials import MOST_FILES, with_files
from vaesearch.tracking.updates import interrupted, merge, updates_for
from vaesearch.tracking.uploader import follow


def shown_of(story, *, killed=False):
    """The runs of a story, by arm; folded as the uploader does, without its budget."""
    state, found = SearchState(), []
    for event in story.events:
        state = advance(state, event)
        found += updates_for(event, state)
    if killed:
        found += interrupted(state, story.events[-1])
    return {update.arm: update for update in merge(found)}


@pytest.fixture
def story():
    return Story(
        max_epochs_per_arm=8, storage="postgresql://u:s3cret@h/d", objective=("bpd", "kl")
    )


def test_a_trial_is_the_run_of_its_arm(story):
    runs = shown_of(story.example())
    assert sorted(filter(None, runs)) == ["trial-000", "trial-001", "trial-004", "trial-005"]
    tags = runs["trial-005"].tags
    assert tags["vaesearch.trial"] == "5"
    assert tags["vaesearch.group"] == "deconv"
    assert tags["vaesearch.study"] == "digits-01234567"
    assert runs["trial-005"].params["decoder"] == "mlp"


def test_values_are_params_and_settings_go_first(story):
    params = shown_of(story.add(**{"posterior.planar.steps": 4, "width": 7.0}))["trial-000"].params
    assert params["posterior.planar.steps"] == "4"
    assert params["width"] == str(story.state.arms["trial-000"].arm.settings.width)


def test_states_are_those_of_the_study(story):
    def states(**options):
        runs = shown_of(story, **options)
        return {arm: run.tags["vaesearch.state"] for arm, run in runs.items() if arm}

    story.example()
    fates = {"trial-000": "complete", "trial-001": "pruned", "trial-004": "failed"}
    assert states() == fates | {"trial-005": "running"}
    assert states(killed=True) == fates | {"trial-005": "running"}
    story.ended()
    assert states() == fates | {"trial-005": "complete"}
    story.resume()
    assert states() == fates | {"trial-005": "running"}


def test_the_search_has_its_space_and_no_password(story):
    parent = shown_of(story.example())[None]
    assert parent.params["space/latent_dim"] == "2..64:log"
    assert parent.params["objective"] == "bpd, kl"
    assert parent.params["sampler"] == "tpe"
    assert "constraint" not in parent.params
    assert "s3cret" not in str(parent)
    assert parent.tags["vaesearch.study"] == "digits-01234567"


def test_trials_that_have_no_run_are_counted_on_the_search(story):
    parent = shown_of(story.example().ended())[None]
    last = {point.key: point.value for point in parent.points}
    assert [last[f"trials/{k}"] for k in ("trained", "refused", "known")] == [4, 1, 1]
    assert last["best/bpd"] == 3.6
    assert last["best/kl"] == pytest.approx(6.4)
    assert parent.tags["vaesearch.best_trial"] == "0"


def test_files_are_sent_of_the_best_trials_only():
    story = Story()
    for number in range(MOST_FILES + 2):
        story.add().pull(number, 9.0 - number / 10)
    best = [f"trial-{n:03d}" for n in range(MOST_FILES + 1, 1, -1)]
    assert list(with_files(story.state)) == best


@pytest.mark.filterwarnings("ignore:The ``noload`` loader")
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.timeout(180)
def test_sending_twice_and_after_resuming_doubles_nothing(runs, uri, shown):
    run_dir = RunDir(runs / "tuned")
    run_dir.create()
    story = Story("id-1")
    for tell in (Story.example, Story.ended, lambda told: told.resume().finish(0)):
        before = len(story.events) if tell is not Story.example else 0
        tell(story)
        ledger = Ledger(run_dir.ledger)
        for event in story.events[before:]:
            ledger.append(event)
        ledger.close()
        assert follow(run_dir, uri, "vaesearch", ended=lambda _: True)
    there = shown(uri)
    assert len(there.runs) == 5
    assert there.arms["trial-001"].data.tags["vaesearch.state"] == "pruned"
    assert there.arms["trial-005"].data.tags["vaesearch.state"] == "complete"
    assert there.parent.data.metrics["trials/refused"] == 1
