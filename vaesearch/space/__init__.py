"""What may be searched: names, ranges, choices and conditions, read from YAML."""

from vaesearch.space.core import Parameter, Space
from vaesearch.space.domains import Choice, Domain, Float, Int, Value
from vaesearch.space.feasibility import check_space, refuse_both, space_of
from vaesearch.space.reading import load_space
from vaesearch.space.shipped import default_space, shipped_spaces, space_entries

__all__ = [
    "Choice", "Domain", "Float", "Int", "Parameter", "Space", "Value", "check_space",
    "default_space", "load_space", "refuse_both", "shipped_spaces", "space_entries",
    "space_of",
]  # fmt: skip
