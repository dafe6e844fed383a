"""One measurement in a process of its own: the JSON of a load in, that of its cost out."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from throughput import proposed, simulated


def main() -> None:
    load, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
    if pulls := load.get("proposed"):
        cost = proposed.measure(64, pulls, "none", folder, trials=2 * pulls)
    else:
        cost = simulated.measure(simulated.Load(**load), folder)
    print(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
