"""The benchmarks are scripts beside the package; their folder is where their modules are found."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
