"""What a run of the shared encoder found, as data and as a table."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vaesearch.baselines.passes import Figures, Pass, reward_of
from vaesearch.config import Config
from vaesearch.report.units import SCALES, one_line

HEADERS = ("rank", "decoder", "batches", "share", "validation", "test", "test ELBO", "parameters")


def summary(
    config: Config, passes: Sequence[Pass], test: Figures, parameters: dict[str, int]
) -> dict[str, Any]:
    """The content of ``results.json``: plain data, decoders best first on validation images.

    ``regret`` is in units of the reward, the mean over all batches; ``share`` is of all batches.
    """
    total = sum(sum(done.draws.values()) for done in passes)
    last = passes[-1].validation
    draws = {name: sum(done.draws[name] for done in passes) for name in last}
    ranked = sorted(last, key=lambda name: (-reward_of(last[name], config.reward), name))
    weighted = sum(done.regret * sum(done.draws.values()) for done in passes)
    return {
        "system": "shared encoder",
        "best_decoder": ranked[0],
        "policy": config.policy,
        "seed": config.seed,
        "reward": config.reward,
        "passes": len(passes),
        "batches": total,
        "batch_size": config.batch_size,
        "regret": weighted / max(1, total),
        "decoders": [
            {
                "name": name,
                "draws": draws[name],
                "share": draws[name] / max(1, total),
                "parameters": parameters[name],
                "validation": dict(last[name]),
                "test": dict(test[name]),
            }
            for name in ranked
        ],
        "history": [asdict(done) for done in passes],
    }


def rows(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """A line per decoder under :data:`HEADERS`, every cell written out."""
    scale = SCALES[results["reward"]]
    lines: list[tuple[str, ...]] = []
    for rank, decoder in enumerate(results["decoders"], start=1):
        test = decoder["test"]
        lines.append(
            (
                str(rank),
                decoder["name"],
                str(decoder["draws"]),
                f"{decoder['share']:.1%}",
                scale.write(decoder["validation"].get(scale.metric)),
                scale.write(test.get(scale.metric)),
                SCALES["elbo"].write(test.get("elbo")),
                f"{decoder['parameters']:,}",
            )
        )
    return lines


def caption(results: dict[str, Any]) -> str:
    """What the table is about, and the regret."""
    scale = SCALES[results["reward"]]
    return (
        f"Shared encoder, {one_line(results['policy'])}: {results['passes']} passes of the "
        f"training images, {results['batches']} batches of {results['batch_size']}. Validation "
        f"and test in {scale.name}, test ELBO in nats; parameters with the encoder. Regret on "
        f"validation images: {results['regret']:.4g} {scale.unit} per batch."
    )


def to_markdown(results: dict[str, Any]) -> str:
    """The table for ``results.md``."""
    rules = ["---" if header == "decoder" else "--:" for header in HEADERS]
    lines = [HEADERS, rules, *rows(results)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{table}\n{caption(results)}\n"
