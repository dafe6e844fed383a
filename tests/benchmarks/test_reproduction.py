"""docs/reproduction.md shows what the committed results say, and every committed picture."""

import importlib
import json
import re
from pathlib import Path

import pytest
import shared

SCRIPTS = sorted(
    path.stem
    for path in Path(shared.__file__).parent.glob("*.py")
    if re.search(r"^def tables\(", path.read_text(), re.MULTILINE)
)
RESULTS = sorted(path.stem for path in shared.RESULTS.glob("*.json"))
PAGE = shared.PAGE.read_text()


def names():
    return {importlib.import_module(script).NAME: script for script in SCRIPTS}


def results(name):
    return json.loads((shared.RESULTS / f"{name}.json").read_text())


def tables():
    """Every table of every committed result, by the name of its place."""
    found = {shared.RUNS: shared.runs()}
    for name, script in names().items():
        if name in RESULTS:
            found |= importlib.import_module(script).tables(results(name))
    return found


def test_every_result_has_a_script():
    assert {name.removesuffix("-full") for name in RESULTS} <= set(names())


@pytest.mark.parametrize("name", RESULTS)
def test_results_say_what_they_were_measured_with(name):
    found = results(name)
    assert found["scale"] == ("full" if name.endswith("-full") else "small")
    assert found["seconds"] > 0
    assert found["hardware"]
    assert {"python", "torch", "vaesearch"} <= set(found["software"])


@pytest.mark.parametrize("place", tables())
def test_page_shows_the_results(place):
    assert shared.filled(PAGE, place, tables()[place]) == PAGE


def test_no_table_of_the_page_is_without_results():
    shown = set(re.findall(r"<!-- ([^/][^>]*) -->\n\n\|", PAGE))
    assert shown == set(tables())


def test_pictures_are_shown_and_small():
    shown = {Path(link).name for link in re.findall(r"\]\(images/reproduction/([^)]+)\)", PAGE)}
    files = {path.name: path.stat().st_size for path in shared.IMAGES.glob("*")}
    assert shown == set(files)
    assert all(size < 150_000 for size in files.values())


def test_page_has_no_such_place():
    with pytest.raises(LookupError, match="no place <!-- elsewhere -->"):
        shared.filled(PAGE, "elsewhere", "| table |")
