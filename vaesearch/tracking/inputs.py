"""The images of a search as MLflow's datasets; pure, and free of MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Our names of the three sets, and what MLflow calls their use.
CONTEXTS = {"train": "training", "valid": "validation", "test": "testing"}
_DIGEST = 36  # characters that MLflow keeps; the whole fingerprint is in the profile
_NAMES = ("image_size", "pixels", "train_limit")


@dataclass(frozen=True)
class Images:
    """One of the three sets.

    Attributes:
        name: of the set, as ``digits-train``.
        digest: the beginning of the fingerprint of all three.
        context: what it is used for, in MLflow's words.
        shape: ``(C, H, W)`` of an image.
        profile: figures to show.
        source_kind, source: where it is from, as MLflow's ``source_type`` and ``source``.
    """

    name: str
    digest: str
    context: str
    shape: tuple[int, ...]
    profile: dict[str, Any]
    source_kind: str
    source: dict[str, Any]


def images_of(config: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Images, ...]:
    """The three sets of a search; nothing if its ledger says too little of them."""
    if not {"fingerprint", "shape", "counts"} <= set(data):
        return ()
    name = str(data.get("name") or config.get("dataset"))
    kind, source = _source(config, name)
    shape = tuple(int(size) for size in data["shape"])
    return tuple(
        Images(
            f"{name}-{split}",
            str(data["fingerprint"])[:_DIGEST],
            context,
            shape,
            {
                "features_shape": [data["counts"][split], *shape],
                "num_images": data["counts"][split],
                "pixels": data.get("pixels"),
                "fingerprint": data["fingerprint"],
            },
            kind,
            source,
        )
        for split, context in CONTEXTS.items()
        if data["counts"].get(split)
    )


def _source(config: Mapping[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """A file or folder where there is one, else the options that make these images anew."""
    dataset = str(config.get("dataset", name))
    if dataset.startswith("/"):
        return "local", {"uri": dataset}
    options = {f"vaesearch.{key}": str(config[key]) for key in _NAMES if config.get(key)}
    return "code", {"tags": {"mlflow.source.name": "vaesearch", "vaesearch.dataset": dataset}
                    | options}  # fmt: skip
