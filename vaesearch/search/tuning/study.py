"""The study of a search in a storage: one search, one study, told apart by its ``search_id``."""

import logging
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection

from vaesearch.errors import InputError
from vaesearch.search.tuning.figures import signs
from vaesearch.space import Space
from vaesearch.storage import is_url

METRIC_NAMES = "study:metric_names"  # where Optuna's ``Study.set_metric_names`` puts them
ID, RUN_DIR, SPACE = "search_id", "run_dir", "space"


@dataclass(frozen=True)
class StudyKey:
    """What a study is called, and what is written on it.

    Attributes:
        name: in the storage.
        objectives: what its trials have values of.
        attributes: told of it, among them the search that it belongs to.
    """

    name: str
    objectives: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def search_id(self) -> str:
        """The search that it belongs to."""
        return str(self.attributes[ID])


class StudyTakenError(InputError):
    """The study of that name belongs to another search."""


def default_name(dataset: str, search_id: str) -> str:
    """A name that no other search has, as ``mnist-1f0c22ab``."""
    return f"{Path(dataset).stem}-{search_id[:8]}"


def key_of(
    config: Mapping[str, Any], search_id: str, space: Space, run_dir: str | Path, version: str
) -> StudyKey:
    """The study of a search.

    Args:
        config: options of the search, among them the name of the study.
        search_id: of the search.
        space: that is searched.
        run_dir: the path or URL where the search is.
        version: of this package.
    """
    told = {name: config[name] for name in ("dataset", "policy", "sampler")}
    where = run_dir if is_url(run_dir) else Path(run_dir).absolute()
    attributes = {
        ID: search_id, RUN_DIR: str(where), SPACE: space.fingerprint[:16],
        "vaesearch": version, **told,
    }  # fmt: skip
    return StudyKey(config["study"], tuple(config["objective"]), attributes)


def claim(storage: RDBStorage, key: StudyKey) -> int:
    """Make the study; of several that try at one moment, one succeeds.

    An empty one that was left by a search in the same run directory is taken over.

    Raises:
        StudyTakenError: another search has that name.
    """
    try:
        return make(storage, key)
    except DuplicatedStudyError:
        found = storage.get_study_id_from_name(key.name)
        theirs = storage.get_study_user_attrs(found)
        ours = theirs.get(RUN_DIR) == key.attributes[RUN_DIR]
        if not ours or storage.get_all_trials(found, deepcopy=False):
            raise taken(key, theirs) from None
        _describe(storage, found, key)
        return found


def find(storage: RDBStorage, key: StudyKey) -> int:
    """The study of a search that goes on, made if it is not there.

    Raises:
        StudyTakenError: another search has that name by now.
    """
    try:
        found = storage.get_study_id_from_name(key.name)
    except KeyError:
        return make(storage, key)
    theirs = storage.get_study_user_attrs(found)
    if theirs.get(ID) == key.search_id:
        _describe(storage, found, key)
        return found
    if ID in theirs or storage.get_all_trials(found, deepcopy=False):
        raise taken(key, theirs)
    _describe(storage, found, key)  # its maker died before it could write on it
    return found


def make(storage: RDBStorage, key: StudyKey) -> int:
    """Make the study.

    Raises:
        DuplicatedStudyError: there is one of that name.
    """
    directions = [
        StudyDirection.MAXIMIZE if sign > 0 else StudyDirection.MINIMIZE
        for sign in signs(key.objectives)
    ]
    with _unlogged():
        study = storage.create_new_study(directions, key.name)
    _describe(storage, study, key)
    return study


def _describe(storage: RDBStorage, study: int, key: StudyKey) -> None:
    there = storage.get_study_user_attrs(study)
    for name, value in key.attributes.items():
        if there.get(name) != value:
            storage.set_study_user_attr(study, name, value)
    names = list(key.objectives)
    if storage.get_study_system_attrs(study).get(METRIC_NAMES) != names:
        storage.set_study_system_attr(study, METRIC_NAMES, names)


def taken(key: StudyKey, theirs: Mapping[str, Any]) -> StudyTakenError:
    """Why the study cannot be ours, and what can be done."""
    if ID not in theirs:
        return StudyTakenError(
            f"the storage has a study {key.name!r} that is of no search of vaesearch: "
            "give another --study."
        )
    where = theirs.get(RUN_DIR, "?")
    other = "" if theirs.get(SPACE) == key.attributes[SPACE] else " and of another space"
    path = shlex.quote(str(where))
    return StudyTakenError(
        f"study {key.name!r} is of another search, {theirs[ID][:8]} in {where}{other}.\n"
        f"Give another --study, go on with that one (vaesearch resume {path}), "
        f"or learn from it (--from {path})."
    )


@contextmanager
def _unlogged() -> Iterator[None]:
    """Inside, Optuna does not tell of each new study.

    Only its logger for storages is touched: this may run beside a user's own studies.
    """
    logger = logging.getLogger(RDBStorage.__module__)
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
