"""The densities that flows are fitted to are those of the reproductions."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "reproduce"))
