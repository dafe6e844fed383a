"""Brings the study in a storage to what the search says; doing it twice changes nothing."""

import json
from collections.abc import Iterable, Iterator

import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from vaesearch.errors import InputError
from vaesearch.search.tuning.mirror import Wanted
from vaesearch.search.tuning.study import StudyKey, find, make

_ATTRIBUTES = sqlalchemy.table(
    "trial_user_attributes",
    sqlalchemy.column("trial_id"), sqlalchemy.column("key"), sqlalchemy.column("value_json"),
)  # fmt: skip


class StudyWriter:
    """Writes one study; the only one who does.

    Args:
        storage: open.
        key: of the study, which is made if it is not there.

    Raises:
        StudyTakenError: another search has that name.
        Exception: those of SQLAlchemy and of drivers, from all methods, if the storage does not
            answer. Make another writer then: it finds out what is there.
    """

    def __init__(self, storage: RDBStorage, key: StudyKey) -> None:
        self._storage = storage
        self._key = key
        self._study = find(storage, key)
        trials = storage.get_all_trials(self._study, deepcopy=False)
        self._there = {trial.number: trial for trial in trials}

    def write(self, wanted: Wanted, count: int, numbers: Iterable[int] | None = None) -> None:
        """Bring trials up to date.

        Args:
            wanted: the trials as they should be.
            count: how many there should be.
            numbers: of those that may have changed; None for all.
        """
        beyond = [trial for number, trial in self._there.items() if number >= count]
        if not all("arm" in trial.user_attrs for trial in beyond):
            raise InputError(
                f"study {self._key.name!r} has trials that are not of this search: "
                "delete it, or give another --study."
            )
        if beyond:  # they got here, but a crash kept their lines of the ledger from the disk
            self._anew(wanted)
            return
        missing = range(len(self._there), count)
        touched = range(count) if numbers is None else numbers
        late: dict[int, dict[str, object]] = {}
        for number in sorted({*touched, *missing}):
            trial = wanted.trial(number)
            there = self._there.get(number)
            if there is None:
                self._create(trial)
            elif not there.state.is_finished():
                self._go_on(there, trial)
            elif _contradicts(there, trial):
                self._anew(wanted)
                return
            else:
                late[number] = _new_attributes(there, trial)
        self._annotate({number: told for number, told in late.items() if told})

    def _create(self, trial: FrozenTrial) -> None:
        trial_id = self._storage.create_new_trial(self._study, trial)
        trial._trial_id = trial_id
        self._there[trial.number] = trial

    def _go_on(self, there: FrozenTrial, trial: FrozenTrial) -> None:
        """Add to a trial that is RUNNING in the storage, its end last."""
        storage, trial_id = self._storage, there._trial_id
        if there.params != trial.params:
            raise InputError(
                f"trial {trial.number} of study {self._key.name!r} has other values than that of "
                "this search: delete the study, or give another --study."
            )
        for step, value in trial.intermediate_values.items():
            if there.intermediate_values.get(step) != value:
                storage.set_trial_intermediate_value(trial_id, step, value)
        for name, told in _new_attributes(there, trial).items():
            storage.set_trial_user_attr(trial_id, name, told)
        if trial.state.is_finished():
            storage.set_trial_state_values(trial_id, trial.state, trial.values)
        trial._trial_id = trial_id
        self._there[trial.number] = trial

    def _anew(self, wanted: Wanted) -> None:
        """Write the whole study again: Optuna cannot take back that a trial has ended.

        Cut short in the middle, it is found unfinished, or not at all, and filled up.
        """
        self._storage.delete_study(self._study)
        self._study = make(self._storage, self._key)
        self._there = {}
        for trial in wanted.trials():
            self._create(trial)

    def _annotate(self, late: dict[int, dict[str, object]]) -> None:
        """Add attributes to trials that have ended, which Optuna itself refuses, in one go."""
        rows = [
            {"trial_id": self._there[number]._trial_id, "key": name, "value_json": json.dumps(v)}
            for number, told in late.items()
            for name, v in told.items()
        ]
        if not rows:
            return
        old = list(_changed(self._there, late))
        with self._storage.engine.begin() as connection:
            for trial_id, name in old:
                connection.execute(
                    sqlalchemy.delete(_ATTRIBUTES)
                    .where(_ATTRIBUTES.c.trial_id == trial_id)
                    .where(_ATTRIBUTES.c.key == name)
                )
            connection.execute(sqlalchemy.insert(_ATTRIBUTES), rows)
        for number, told in late.items():
            self._there[number].user_attrs.update(told)


def _changed(
    there: dict[int, FrozenTrial], late: dict[int, dict[str, object]]
) -> Iterator[tuple[int, str]]:
    for number, told in late.items():
        trial = there[number]
        yield from ((trial._trial_id, name) for name in told if name in trial.user_attrs)


def _new_attributes(there: FrozenTrial, trial: FrozenTrial) -> dict[str, object]:
    return {k: v for k, v in trial.user_attrs.items() if there.user_attrs.get(k) != v}


def _contradicts(there: FrozenTrial, trial: FrozenTrial) -> bool:
    """Whether what is in the storage of an ended trial is no longer so."""
    if trial.state != there.state or trial.params != there.params:
        return True
    return trial.state != TrialState.FAIL and trial.values != there.values
