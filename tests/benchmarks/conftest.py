"""The benchmarks are scripts beside the package; their folders are where their modules are found.

They come last: both ``benchmarks`` and ``tests`` have a module of the name ``digits``.
"""

import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path += [str(BENCHMARKS), str(BENCHMARKS / "reproduce")]
