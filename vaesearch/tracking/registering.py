"""Which model becomes a version of a registered model, and what is said of it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from vaesearch.search.state import SearchState

ALIAS = "best"
SEARCH, ARM, CHECKPOINT = "vaesearch.search_id", "vaesearch.arm", "vaesearch.checkpoint"
REWARD, YARDSTICK, IMAGES = "vaesearch.reward", "vaesearch.yardstick", "vaesearch.images"


@dataclass(frozen=True)
class Candidate:
    """The best model of a finished search.

    Attributes:
        arm: whose it is.
        tags: of its version; ``SEARCH`` and ``CHECKPOINT`` say which checkpoint it is.
        description: one line of Markdown.
    """

    arm: str
    tags: dict[str, str]
    description: str

    @property
    def checkpoint(self) -> str:
        """Which checkpoint it is, unlike those of all other searches."""
        return self.tags[CHECKPOINT]

    def is_version(self, tags: Mapping[str, str]) -> bool:
        """Whether a version with these tags is this very checkpoint."""
        return all(tags.get(key) == self.tags[key] for key in (SEARCH, CHECKPOINT))

    def beats(self, tags: Mapping[str, str] | None) -> bool:
        """Whether it is to be called the best in place of a version with these tags.

        Only what was measured alike, on the same images, is compared; anything else keeps its
        place, since taking it away from a model that others use needs a person.
        """
        if tags is None:
            return True
        if any(tags.get(key) != self.tags[key] for key in (YARDSTICK, IMAGES)):
            return False
        return float(self.tags[REWARD]) > float(tags.get(REWARD, "-inf"))


def checkpoint_of(state: SearchState, arm: str) -> str:
    """The digest of an arm's best checkpoint, or its epoch where the ledger has no digest."""
    there = state.arms[arm]
    epoch = there.best.epoch if there.best else 0
    return there.checkpoints.get(epoch, f"epoch {epoch}")


def candidate_of(state: SearchState) -> Candidate | None:
    """What to register of a search; None before its end, or if nothing was trained."""
    name = state.finished.best_arm if state.finished else None
    arm = state.arms.get(name or "")
    if name is None or arm is None or arm.best is None:
        return None
    best, settings = arm.best, arm.arm.settings
    yardstick = str(state.config.get("reward"))
    figures = {f"test_{key}": f"{value:.6g}" for key, value in arm.test.items() if key == "bpd"}
    if yardstick == "bpd":
        figures["bits_per_dim"] = f"{-best.reward:.6g}"
    tags = {
        SEARCH: state.search_id,
        ARM: name,
        CHECKPOINT: checkpoint_of(state, name),
        REWARD: repr(best.reward),
        YARDSTICK: yardstick,
        IMAGES: str(state.data.get("fingerprint")),
        "decoder": settings.decoder,
        "encoder": settings.encoder,
        "epoch": str(best.epoch),
    }
    said = f"{name}, epoch {best.epoch}, of a search on {state.config.get('dataset')}"
    return Candidate(name, tags | figures, said)
