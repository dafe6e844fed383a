"""Problems made of recorded curves: which arms, how far each would get, and what the truth is.

An instance is a draw of arms from the recordings of one data set. It is a function of the data
set, the number of arms and the instance's number, so every policy meets the same ones.
"""

import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from vaesearch.recordings import Curve, Recording, read_recording
from vaesearch.search.regret import near

STANDARD = tuple(
    f"conv+{d}" for d in ("mlp", "mlp-wide", "deconv-deep", "deconv", "linear-deconv")
)
GROUPS = ("architectures", "variants")


@dataclass(frozen=True)
class Pool:
    """All curves of one data set that did not fail, and how many of them are architectures."""

    recording: Recording
    architectures: tuple[Curve, ...]
    variants: tuple[Curve, ...]

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.recording.manifest.dataset


@dataclass(frozen=True)
class Instance:
    """K arms with their curves, cut to the length of the shortest.

    Attributes:
        pool: where the curves come from.
        number: of the draw.
        curves: by name of arm (``architecture#seed``), in random order.
    """

    pool: Pool
    number: int
    curves: Mapping[str, Curve]

    @property
    def size(self) -> int:
        """K."""
        return len(self.curves)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the arms, in their order."""
        return tuple(self.curves)

    @cached_property
    def cap(self) -> int:
        """N: epochs recorded of every arm."""
        return min(len(curve.valid) for curve in self.curves.values())

    @cached_property
    def valid(self) -> np.ndarray:
        """Validation rewards, (K, N), higher is better."""
        return self._rewards([c.valid for c in self.curves.values()])

    @cached_property
    def test(self) -> np.ndarray:
        """Test rewards, (K, N)."""
        return self._rewards([c.test for c in self.curves.values()])

    @cached_property
    def seconds(self) -> np.ndarray:
        """Of every epoch, (K, N)."""
        return np.array([c.seconds[: self.cap] for c in self.curves.values()])

    def _rewards(self, columns: Sequence[Sequence[float | None]]) -> np.ndarray:
        metric = np.array([column[: self.cap] for column in columns], dtype=float)
        return np.asarray(self.pool.recording.reward(metric))  # type: ignore[arg-type]

    @cached_property
    def batches(self) -> int:
        """Batches per epoch, from the recorded batch size and number of images."""
        images = self.pool.recording.manifest.data["counts"]["train"]
        sizes = {curve.settings["batch_size"] for curve in self.curves.values()}
        return math.ceil(images / max(sizes))

    def epochs(self, share: float) -> int:
        """The budget: ``share`` of what all arms to the last epoch take."""
        return round(share * self.size * self.cap)

    # --- the truth ---

    def kept(self, epochs: int) -> np.ndarray:
        """Test reward, per arm, of its best checkpoint on validation within ``epochs``, (K,)."""
        best = self.valid[:, :epochs].argmax(axis=1)
        return self.test[np.arange(self.size), best]

    @cached_property
    def goal(self) -> float:
        """The validation reward that counts as within 1 % of the best final one."""
        return near(float(self.valid.max()))

    @cached_property
    def oracle_epochs(self) -> int:
        """Epochs to the goal for someone who trains the best arm only."""
        best = self.valid.max(axis=1).argmax()
        return int((self.valid[best] >= self.goal).argmax()) + 1

    @cached_property
    def digest(self) -> str:
        """Of the arms' names and curves: what a cached result is valid for."""
        found = hashlib.sha256(repr(self.names).encode())
        for array in (self.valid, self.test, self.seconds):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:12]

    def shuffled(self, seed: int) -> "Instance":
        """The same arms in another order; 0 keeps it."""
        order = np.random.default_rng([seed, self.number]).permutation(self.size)
        if seed == 0:
            return self
        return replace(self, curves={self.names[i]: self.curves[self.names[i]] for i in order})


def load_pools(folder: Path, datasets: Sequence[str]) -> dict[str, Pool]:
    """What is recorded of ``datasets`` in ``folder``, by data set; those without are left out."""
    pools = {}
    for dataset in datasets:
        paths = [folder / f"{dataset}-{group}.json.gz" for group in GROUPS]
        found = [read_recording(path) if path.exists() else None for path in paths]
        if found[0] is None:
            continue
        # A curve that failed has no value at the last epoch to compare with.
        groups = [tuple(c for c in r.curves if not c.failed) if r else () for r in found]
        whole = Recording(found[0].manifest, (*groups[0], *groups[1]))
        pools[dataset] = Pool(whole, *groups)
    return pools


def draw(pool: Pool, size: int, number: int) -> Instance | None:
    """Instance ``number`` of ``size`` arms; None where too little is recorded.

    Up to five arms are architectures; the first instances are the standard five, once per
    recording seed, and so is every third one, with a seed drawn for each arm. More arms mix in
    the variants. Every arm is of a kind of its own and has a recording seed of its own draw, as
    long as there are that many kinds; beyond that, the same architecture under several seeds
    makes several arms.
    """
    rng = np.random.default_rng([zlib.crc32(pool.dataset.encode()), size, number])
    seeds = pool.recording.seeds
    curves = pool.architectures if size <= len(STANDARD) else pool.recording.curves
    if size == len(STANDARD) and (number < len(seeds) or number % 3 == 0):
        curves = tuple(c for c in curves if c.arm in STANDARD)
        if number < len(seeds):
            curves = tuple(c for c in curves if c.seed == seeds[number])
    kinds = sorted({curve.arm for curve in curves})
    if len(curves) < size or (size <= len(STANDARD) and len(kinds) < size):
        return None
    if size <= len(kinds):
        chosen = [
            rng.choice(np.array([c for c in curves if c.arm == kind], dtype=object))
            for kind in rng.choice(kinds, size, replace=False)
        ]
    else:
        chosen = [curves[i] for i in rng.choice(len(curves), size, replace=False)]
    return Instance(pool, number, {f"{c.arm}#{c.seed}": c for c in chosen})
