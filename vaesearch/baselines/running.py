"""From a configuration to a run directory with the figures of every decoder."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vaesearch import catalogue
from vaesearch.api import config_text
from vaesearch.baselines.draws import Draws
from vaesearch.baselines.passes import Pass, batches_per_pass, held_out, train_pass
from vaesearch.baselines.refusals import check_shared
from vaesearch.baselines.results import summary, to_markdown
from vaesearch.baselines.shared_encoder import SharedEncoder, new_shared_encoder
from vaesearch.config import Config
from vaesearch.data import ImageData, load_data
from vaesearch.errors import InputError, RunDirError, StorageError
from vaesearch.models.checks import check_model
from vaesearch.pull import save_model
from vaesearch.report.artifacts import write_text
from vaesearch.search.run_dir import RunDir
from vaesearch.seeding import numpy_generator
from vaesearch.specs import parse_spec
from vaesearch.threads import threads

PASSES = 5  # of the report, on two of its three data sets
Observe = Callable[[Pass], None]


def run_shared_encoder(
    config: Config, path: str | Path, *, observe: Observe = lambda done: None
) -> dict[str, Any]:
    """Train the shared encoder and its decoders; leave figures and the best model in ``path``.

    An interrupted run starts anew: nothing of it is kept but its ``config.yaml``.

    Args:
        config: the options; ``epochs`` are passes over the training images.
        path: a new or empty directory, or one of an interrupted run.
        observe: called after every pass.

    Returns:
        What ``results.json`` holds.

    Raises:
        InputError: something in ``config`` cannot be used here; nothing was trained.
        RunDirError: ``path`` holds results or a search already.
        DivergedError: a loss is not a number any more.
        PolicyError: the policy failed.
        StorageError: the disk is full or read-only.
    """
    run_dir = RunDir(path)
    check_shared(config)
    catalogue.build("policies", config.policy)
    data = load_data(config)
    config = _resolved(config, data)
    parameters = _checked(config, data)
    run_dir.create()
    run_dir.lock()
    try:
        _refuse_used(run_dir)
        write_text(run_dir.config, config_text(config))
        with threads():
            return _run(run_dir, config, data, parameters, observe)
    finally:
        run_dir.unlock()


def _resolved(config: Config, data: ImageData) -> Config:
    """With the report's policy in place of ``auto``, and its first pass drawn uniformly."""
    config = config.changed(
        epochs=config.epochs or PASSES, tracking_uri="none", backend="local", workers=1
    )
    config = config.resolved(images=len(data.train), channels=data.shape[0])
    policy = "epsilon-greedy" if config.policy == "auto" else config.policy
    name, _, keywords = parse_spec(policy)
    if name == "epsilon-greedy" and "uniform" not in keywords:
        assert config.batch_size is not None  # noqa: S101
        first = f"uniform={batches_per_pass(len(data.train), config.batch_size)}"
        policy += f"{',' if ':' in policy else ':'}{first}"
    return config.changed(policy=policy)


def _checked(config: Config, data: ImageData) -> dict[str, int]:
    """Parameters of each decoder's whole model."""
    parameters = {}
    for arm in config.arms():
        try:
            parameters[arm.name] = check_model(arm.settings, data.shape)
        except InputError as error:
            raise InputError(f"{arm.name}: {error}") from error
    return parameters


def _refuse_used(run_dir: RunDir) -> None:
    if run_dir.results.exists() or run_dir.ledger.exists():
        raise RunDirError(
            f"{run_dir.address} holds another run; a shared encoder starts anew: "
            "choose another --run-dir."
        )


def _run(
    run_dir: RunDir, config: Config, data: ImageData, parameters: dict[str, int], observe: Observe
) -> dict[str, Any]:
    started = time.perf_counter()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, valid, test = (
        torch.tensor(a, device=device) for a in (data.train, data.valid, data.test)
    )
    shared = new_shared_encoder(config.arms(), data.shape, config.seed, device)
    assert config.epochs is not None and config.batch_size is not None  # noqa: S101, PT018
    draws = Draws(
        catalogue.build("policies", config.policy),
        list(shared.models),
        config.epochs * batches_per_pass(len(train), config.batch_size),
        numpy_generator(config.seed, "shared encoder", "draws"),
        config.chunk,
    )
    passes = []
    for number in range(1, config.epochs + 1):
        done = train_pass(
            shared, draws, train, valid, number=number, seed=config.seed,
            batch_size=config.batch_size, reward=config.reward,
        )  # fmt: skip
        passes.append(done)
        observe(done)
    results = summary(config, passes, held_out(shared, test), parameters)
    results["seconds"] = time.perf_counter() - started
    _write(run_dir, config, shared, results)
    return results


def _write(
    run_dir: RunDir, config: Config, shared: SharedEncoder, results: dict[str, Any]
) -> None:
    """The best decoder's model, the table, and last what says that the run is complete."""
    best = results["best_decoder"]
    (arm,) = (arm for arm in config.arms() if arm.name == best)
    path = run_dir.arm(best) / "model.pt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        model = shared.models[best]
        save_model(path, arm.settings, model.shape, results["passes"], model.state_dict())
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}.") from error
    write_text(run_dir.ranking, to_markdown(results))
    write_text(run_dir.results, json.dumps(results, indent=2) + "\n")
