"""docs/evaluation.md has every metric, setting and figure, and its example works."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vaesearch.assessment import measure
from vaesearch.assessment.asking import choose
from vaesearch.catalogue import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()


@pytest.mark.parametrize("entry", METRICS, ids=lambda entry: entry.name)
def test_a_metric_is_on_the_page_with_its_settings_and_figures(entry):
    [asked] = choose(entry.name)
    star = r" \*" if "quick" in entry.traits else ""
    row = re.search(rf"^\| `{entry.name}`{star} \|(.*)$", PAGE, re.MULTILINE)
    assert row, "no row in the table"
    for name, value in asked.settings.items():
        written = name if value is None else f"{name}={value}"
        assert f"`{written}" in row[1] or "those of" in row[1], written
    for figure in asked.metric.units:
        assert f"`{figure.rstrip('*')}" in PAGE, figure


def test_the_example_is_a_metric(subject, monkeypatch):
    [code] = [b for b in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "class " in b]
    module = ModuleType("page_metrics")
    monkeypatch.setitem(sys.modules, "page_metrics", module)
    exec(code, vars(module))
    [record] = measure(subject, "page_metrics:Darkness:0.2")
    assert 0 <= record.figures["darkness"].value <= 1
    assert record.figures["darkness"].unit == "share"
