"""What may be searched: names, ranges, choices and conditions, read from YAML."""

from vaesearch.space.core import Parameter, Space
from vaesearch.space.domains import Choice, Domain, Float, Int, Value
from vaesearch.space.reading import load_space

__all__ = ["Choice", "Domain", "Float", "Int", "Parameter", "Space", "Value", "load_space"]
