import dataclasses
import json
from typing import get_type_hints

import pytest

from vaesearch.events import EVENTS, event_from_dict, event_to_dict

EXAMPLES = {"str": "x", "int": 3, "bool": True, "float": 0.5, "list": ["y"], "dict": {"k": 1.5}}


def example(kind):
    """An event with every field filled in."""
    hints = get_type_hints(kind)
    values = {
        f.name: EXAMPLES[getattr(hints[f.name], "__name__", "str").partition("[")[0]]
        if hints[f.name] != (str | None)
        else "x"
        for f in dataclasses.fields(kind)
    }
    return kind(**values)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_event_survives_a_line_of_json(kind):
    event = example(kind)
    line = event_to_dict(event)
    assert list(line)[:3] == ["seq", "time", "event"]
    assert event_from_dict(json.loads(json.dumps(line))) == event


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_key_of_an_unknown_kind_is_refused(kind):
    with pytest.raises(TypeError):
        event_from_dict(event_to_dict(example(kind)) | {"colour": "red"})


def test_line_that_is_no_event_is_refused():
    with pytest.raises(KeyError):
        event_from_dict({"event": "lunch", "seq": 0, "time": 0.0})
    with pytest.raises(KeyError):
        event_from_dict({"seq": 0})


def test_kinds_are_unique():
    assert len({cls.kind for cls in EVENTS.values()}) == len(EVENTS) == 17
