"""Does `vaesearch search` find settings that beat the defaults in bits/dim and consistency both?

Three parts, each kept on file and not repeated: a search of decoders, α, latent size and learning
rate for both objectives; `vaesearch bandit` over the same decoders at their defaults with the same
seconds; and the front of the one and the defaults of the other, trained equally long from other
seeds and measured on test images.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import torch
from common import publish
from digits import find_digits
from tuning import candidates, retraining, search_page
from tuning.running import Job, run_all, said

from vaesearch.api import resume, run_bandit, run_search
from vaesearch.config import Config, TuneConfig
from vaesearch.data import load_data
from vaesearch.search.run_dir import RunDir

SPACE = Path(__file__).parent / "tuning" / "mnist.yaml"
RETRAINING_SECONDS = 1800.0  # far more than one should take
OTHER_SEEDS = 100  # those of training again begin here


def main() -> None:
    options = main_parser().parse_args()
    if options.one:
        one(options)
        return
    both = [
        job(options, name, options.runs / name / "results.json") for name in ("search", "bandit")
    ]
    if not options.table:
        stop_on(run_all(both, options.jobs, options.seconds))
        candidates.write(chosen(options), options.runs / "candidates.json")
        again = [
            job(options, f"again:{number}:{seed}", scored(options, number, seed))
            for seed in range(OTHER_SEEDS, OTHER_SEEDS + options.seeds)
            for number in range(len(candidates.read(options.runs / "candidates.json")))
        ]
        print("\n".join(run_all(again, options.jobs, RETRAINING_SECONDS)), file=sys.stderr)
    found = gathered(options)
    publish(search_page.report(found), options.out)
    if options.out:
        search_page.picture(found, options.out.with_suffix(".png"))


PRIVATE = ("data", "runs", "table", "one", "core")


def main_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", default=str(find_digits() or "mnist"), help="mnist.npz, or a data set's name")
    add("--train-limit", type=int, default=2500, help="training images")
    add("--decoders", default="mlp,deconv,residual", help="names, or the first n")
    add("--width", type=float, default=0.125, help="1 is the report's size")
    add("--space", default=str(SPACE), help="YAML file")
    add("--seconds", type=float, default=900.0, help="of the search, and of the bandit")
    add("--epochs", type=int, default=30, help="most per trial, and those of training again")
    add("--seed", type=int, default=0, help="of the search and of the bandit")
    add("--seeds", type=int, default=3, help="of training again")
    add("--front", type=int, default=6, help="most settings of the front to train again")
    add("--jobs", type=int, default=1, help="processes side by side, each on a core of its own")
    add("--runs", type=Path, default=Path("runs/search"), help="where finished parts are kept")
    add("--table", action="store_true", help="run nothing; make the table of what is there")
    add("--out", type=Path, help="the table; its picture goes beside it as PNG")
    add("--one", help=argparse.SUPPRESS)
    add("--core", type=int, help=argparse.SUPPRESS)
    return parser


def job(options: argparse.Namespace, part: str, path: Path) -> Job:
    """A part as a process of this same script."""
    kept = ("data", "train_limit", "decoders", "width", "space", "seconds", "epochs", "seed",
            "runs")  # fmt: skip
    words = [sys.executable, str(Path(__file__)), "--one", part]
    for name in kept:
        words += ["--" + name.replace("_", "-"), str(getattr(options, name))]
    return Job(part, tuple(words), path)


def one(options: argparse.Namespace) -> None:
    """What a process of its own does."""
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    torch.set_num_threads(1)
    if options.one.startswith("again"):
        _, number, seed = options.one.split(":")
        again(options, int(number), int(seed))
        return
    path = options.runs / options.one
    if RunDir(path).ledger.exists():
        resume(path)
    elif options.one == "search":
        run_search(search_config(options), path)
    else:
        run_bandit(Config(**shared(options)), path)


def shared(options: argparse.Namespace) -> dict[str, object]:
    """The options that both commands have."""
    return {
        "dataset": options.data, "train_limit": options.train_limit, "width": options.width,
        "decoders": options.decoders, "seconds": options.seconds, "seed": options.seed,
        "max_epochs_per_arm": options.epochs, "backend": "local", "tracking_uri": "none",
    }  # fmt: skip


def search_config(options: argparse.Namespace) -> TuneConfig:
    return TuneConfig(**shared(options), space=options.space, objective=candidates.OBJECTIVES)


def chosen(options: argparse.Namespace) -> list[candidates.Candidate]:
    """The front of the search, and every decoder with its defaults."""
    config = search_config(options)
    data = load_data(config)
    resolved = config.resolved(images=len(data.train), channels=data.shape[0])
    state = candidates.state_of(options.runs / "search")
    known = json.loads(RunDir(options.runs / "search").results.read_text())["front"]
    if {each["arm"] for each in known} != {
        p.name for p in candidates.points_of(state) if p.on_front
    }:
        sys.exit("the front in results.json is not that of the ledger")
    worst = candidates.worst_of(candidates.state_of(options.runs / "bandit"))
    return candidates.defaults(resolved) + candidates.on_front(state, options.front, worst)


def again(options: argparse.Namespace, number: int, seed: int) -> None:
    """Train one candidate from one seed; tests on all test images, not on a share of them."""
    candidate = candidates.read(options.runs / "candidates.json")[number]
    config = Config(**shared(options))
    whole = load_data(replace(config, train_limit=None))
    made = retraining.retrain(candidate, load_data(config), whole.test, seed, options.epochs)
    retraining.save(made, scored(options, number, seed))


def scored(options: argparse.Namespace, number: int, seed: int) -> Path:
    """Where the figures of a candidate trained again are kept."""
    path: Path = options.runs / "again" / f"{number}-{seed}.json"
    return path


def gathered(options: argparse.Namespace) -> search_page.Found:
    """What is on file."""
    every = candidates.read(options.runs / "candidates.json")
    scores = {
        c.name: [
            retraining.load(path)
            for path in sorted((options.runs / "again").glob(f"{number}-*.json"))
        ]
        for number, c in enumerate(every)
    }
    bandit = candidates.state_of(options.runs / "bandit")
    best = bandit.finished.best_arm if bandit.finished else None
    about = (
        f"{Path(options.data).stem}, {options.train_limit} training images, width "
        f"{options.width:g}, decoders {options.decoders}; {options.seconds:g} seconds each for "
        f"the search and for the bandit on one core, at most {options.epochs} epochs per trial; "
        f"space `{Path(options.space).name}`."
    )
    points = candidates.points_of(candidates.state_of(options.runs / "search"))
    return search_page.Found(
        about, said(main_parser(), options, *PRIVATE), f"default {best}", every, points, scores
    )


def stop_on(failures: list[str]) -> None:
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
