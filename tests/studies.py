"""Studies of told searches, as they are written and as Optuna shows them."""

from pathlib import Path

import optuna
from sqlalchemy.pool import NullPool
from story import SPACE, Story

from vaesearch.errors import InputError
from vaesearch.search.tuning.addresses import parse
from vaesearch.search.tuning.mirroring import StudyMirror
from vaesearch.search.tuning.storage import claim_at
from vaesearch.search.tuning.study import key_of

RUN_DIR = Path("/runs/one")


def key(story, run_dir=RUN_DIR, space=SPACE):
    """Of the study of a story."""
    options = story.config.to_dict()
    return key_of(options, story.state.search_id, space, run_dir, "0.1.0")


def mirror(story, url):
    """What writes a story from here on, not started."""
    made = StudyMirror(parse(url), key(story), SPACE, RUN_DIR)
    story.watchers.append(made.observe)
    return made


def written(story, url):
    """The study of a story, brought up to date by a mirror that knew nothing of it."""
    writes = StudyMirror(parse(url), key(story), SPACE, RUN_DIR)
    writes.start(story.events, story.state)
    said = writes.close(60.0)
    assert said is None, said
    return shown(url, story.config.study)


def shown(url, name):
    """A study as Optuna's tools see it; its connections end with each question."""
    return optuna.load_study(study_name=name, storage=storage_of(url))


def storage_of(url):
    escaped = url.replace("{", "{{").replace("}", "}}")  # Optuna fills its version in
    return optuna.storages.RDBStorage(escaped, engine_kwargs={"poolclass": NullPool})


def told(study):
    """All of a study's trials but their moments."""
    return [
        (t.number, t.state.name, t.values, t.params, t.intermediate_values, t.user_attrs,
         t.constraints)
        for t in study.trials
    ]  # fmt: skip


def claim_one(url, number, gate, outcomes):
    """In a process of its own: try for the name that others try for, too."""
    story = Story(f"{number:016x}", study="mine")
    gate.wait()
    try:
        claim_at(parse(url), key(story, Path("/runs", str(number))))
    except InputError as error:
        outcomes.put(type(error).__name__)
    else:
        outcomes.put("won")
