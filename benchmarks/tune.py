"""`vaesearch tune` beside Optuna, Ray Tune and random search: equal seconds, one core each.

Every run is a process of its own on a core of its own. Finished runs are kept as JSON and not
repeated, so a comparison that was stopped goes on where it was.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

from common import publish
from digits import find_digits
from tuning import page
from tuning.landscape import Problem
from tuning.methods import BY_NAME, METHODS, run
from tuning.record import Run, load, save
from tuning.running import Job, run_all, said

PROBLEMS = {
    "digits": Problem(),
    "mnist": Problem(dataset="mnist", image_size=32, train_limit=1000),
}


def main() -> None:
    options = parse()
    problem = chosen_problem(options)
    if options.one:
        one(options, problem)
        return
    methods = [BY_NAME[name] for name in options.methods]
    absent = [method.name for method in methods if not method.installed]
    if absent:
        print(f"left out, not installed: {', '.join(absent)}", file=sys.stderr)
    wanted = [
        job(options, method.name, seed)
        for seed in range(options.first_seed, options.first_seed + options.seeds)
        for method in methods
        if method.installed
    ]
    if not options.table:
        failures = run_all(wanted, options.jobs, options.seconds)
        print("\n".join(failures), file=sys.stderr)
    runs = [load(path) for path in sorted(folder_of(options).glob("*.json"))]
    if not runs:
        sys.exit(f"no runs in {folder_of(options)}")
    publish(
        page.report(runs, problem, options.seconds, said(main_parser(), options, *PRIVATE)),
        options.out,
    )
    if options.out:
        page.picture(runs, options.out.with_suffix(".png"))


PRIVATE = ("data", "runs", "table", "one", "core")


def main_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--problem", choices=PROBLEMS, default="digits")
    add("--data", default=str(find_digits() or "mnist"), help="mnist.npz, for that problem")
    add("--space", help="YAML file to search instead of tuning/digits.yaml")
    add("--methods", type=lambda s: s.split(","), default=[m.name for m in METHODS])
    add("--seeds", type=int, default=10)
    add("--first-seed", type=int, default=0)
    add("--seconds", type=float, default=40.0, help="of each run")
    add("--jobs", type=int, default=1, help="runs side by side, each on a core of its own")
    add("--runs", type=Path, default=Path("runs/tune"), help="where finished runs are kept")
    add("--table", action="store_true", help="run nothing; make the table of what is there")
    add("--out", type=Path, help="the table; its picture goes beside it as PNG")
    add("--one", nargs=2, metavar=("METHOD", "SEED"), help=argparse.SUPPRESS)
    add("--core", type=int, help=argparse.SUPPRESS)
    return parser


def parse() -> argparse.Namespace:
    parser = main_parser()
    options = parser.parse_args()
    for name in options.methods:
        if name not in BY_NAME:
            parser.error(f"no method {name!r}; there are {', '.join(BY_NAME)}")
    return options


def chosen_problem(options: argparse.Namespace) -> Problem:
    problem = PROBLEMS[options.problem]
    problem = replace(problem, dataset=options.data) if problem.dataset == "mnist" else problem
    return replace(problem, space=options.space) if options.space else problem


def folder_of(options: argparse.Namespace) -> Path:
    """Where runs of this problem and length are kept."""
    problem = chosen_problem(options)
    path: Path = options.runs / f"{options.problem}-{Path(problem.space).stem}-{options.seconds:g}"
    return path


def job(options: argparse.Namespace, method: str, seed: int) -> Job:
    """A run as a process of this same script."""
    words = [
        sys.executable, str(Path(__file__)), "--one", method, str(seed),
        "--problem", options.problem, "--data", options.data,
        "--seconds", str(options.seconds), "--runs", str(options.runs),
    ]  # fmt: skip
    words += ["--space", options.space] if options.space else []
    path = folder_of(options) / f"{method}-{seed}.json"
    return Job(f"{method}, seed {seed}", tuple(words), path)


def one(options: argparse.Namespace, problem: Problem) -> None:
    """What a process of its own does."""
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    method, seed = options.one[0], int(options.one[1])
    scratch = options.runs / "scratch"
    made: Run = run(method, problem, seed, options.seconds, scratch.absolute())
    save(made, folder_of(options) / f"{method}-{seed}.json")


if __name__ == "__main__":
    main()
