from dataclasses import replace

from tuned import tuned_events

from vaesearch.bandits.core import Budget
from vaesearch.checkpoints import CheckpointStore
from vaesearch.events import ArmCut
from vaesearch.search.state import SearchState, advance, fold
from vaesearch.search.tuning.findings import findings, handed_out
from vaesearch.search.tuning.keeping import NEAR, Keeper, kept

BOTH = ("bpd", "consistency")


def test_closed_trials_keep_their_best_checkpoint_near_the_lead_and_none_far_from_it():
    events = tuned_events(trials=80, objectives=BOTH, groups=("mlp", "deconv"))
    state = SearchState()
    files = {}

    def remove(name, keep):
        files[name] &= keep

    keeper = Keeper(remove)
    for event in events:
        state = advance(state, event)
        for epoch in getattr(event, "checkpoints", {}):
            files.setdefault(event.arm, set()).add(int(epoch))
        keeper(event, state)
    near = {findings(state).trials[n].arm for n in findings(state).ranking[:NEAR]}
    for name, arm in state.arms.items():
        if state.history.arm(name).status == "open":
            assert arm.best.epoch in files[name]
        elif name in near | handed_out(state):
            assert files[name] == {arm.best.epoch}
        else:
            assert files[name] == set()
    assert {name for name, left in files.items() if not left}
    for name in handed_out(state):
        assert state.arms[name].best.epoch in files[name]


def test_nothing_is_deleted_before_the_line_of_the_cut_is_on_disk():
    events = tuned_events(trials=80, objectives=BOTH)
    state, deleted = SearchState(), []
    keeper = Keeper(lambda name, keep: deleted.append(name))
    cuts = 0
    for event in events:
        state = advance(state, event)
        before = len(deleted)
        keeper(event, state)
        if isinstance(event, ArmCut):
            cuts += 1
            assert len(deleted) == before
    assert cuts
    assert deleted


def test_arms_that_are_open_or_in_flight_are_left_alone():
    events = tuned_events(trials=12, finished=False)
    state = fold(events, Budget(cap=27))
    closed = next(name for name in kept(state))
    history = state.history.started(closed, 1)
    assert closed not in kept(replace(state, history=history))
    still_open = {a.name for a in state.history.arms if a.status == "open"}
    assert not still_open & set(kept(state))


def test_a_store_keeps_only_what_it_is_told(tmp_path):
    store = CheckpointStore(tmp_path)
    for epoch in (1, 2, 3):
        store.save("arm", epoch, {"epoch": epoch})
    store.keep_only("arm", {2})
    assert [path.name[:11] for path in (tmp_path / "arm").iterdir()] == ["epoch-00002"]
    store.keep_only("arm", set())
    store.keep_only("another", {1})  # has none
    assert not list((tmp_path / "arm").iterdir())
