"""What the page on watching says, held to what there is."""

import re
from pathlib import Path
from typing import get_args

from vaesearch.doctor.checks import HERE
from vaesearch.watching.status import Condition

PAGE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
METRICS = Path(__file__).parents[2] / "vaesearch" / "search" / "backends" / "ray" / "metrics.py"


def test_every_condition_is_explained():
    assert not [c for c in get_args(Condition) if f"`{c}`" not in PAGE]


def test_every_check_is_named():
    assert not [check.name for check in HERE if f"`{check.name}`" not in PAGE]


def test_the_metrics_are_those_that_are_given():
    source = METRICS.read_text()
    counters = re.findall(r'_counter\("(\w+)"', source)
    gauges = re.findall(r'"(\w+)": \(', source) + re.findall(r'_gauge\("(\w+)"', source)
    gauges += re.findall(r'figures\["(\w+)"\]', source)
    named = {f"ray_vaesearch_{name}_total" for name in counters}
    named |= {f"ray_vaesearch_{name}" for name in gauges}
    assert set(re.findall(r"`(ray_vaesearch_\w+)`", PAGE)) == named
