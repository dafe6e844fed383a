"""What a training step computes, counted as its operations are dispatched, without timing it.

FLOPs are of matrix products and convolutions only (a multiplication and an addition are two).
Everything else goes through memory once per operation, so bytes stand for it; and each call of a
kernel has a price of its own, whatever the size of its tensors.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import nnls
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

# Allocation and relabelling, which touch no elements.
_FREE = {"empty", "empty_like", "new_empty", "detach", "lift_fresh", "_unsafe_view", "set_"}
# Of many instructions per element, where an addition has one.
_FUNCTIONS = {
    "exp", "expm1", "log", "log1p", "log2", "sigmoid", "erf", "erfc", "softplus", "pow", "sin",
    "cos", "logsumexp", "_softmax", "_log_softmax", "log_sigmoid_forward", "logaddexp", "elu",
    "binary_cross_entropy_with_logits", "gelu", "glu", "silu", "mish", "selu", "special_ndtr",
}  # fmt: skip
# Those that take torch's kernels on the CPU so many times as long as exp; a digamma is found for
# one number at a time. Gathering numbers by index is no function, but it takes as long as some.
_SLOW_FUNCTIONS = {
    "tanh": 3, "normal_": 4, "uniform_": 4, "bernoulli_": 4, "lgamma": 6, "sinh": 15, "cosh": 15,
    "digamma": 28, "polygamma": 28, "special_erfcx": 28, "special_log_ndtr": 28, "index": 5,
}  # fmt: skip
_WEIGHTS = dict.fromkeys(_FUNCTIONS, 1) | _SLOW_FUNCTIONS
LEAST_ROWS = 10  # to find five prices by


@dataclass(frozen=True)
class Arithmetic:
    """Counts of one step.

    Attributes:
        products: FLOPs of matrix products.
        convolutions: FLOPs of convolutions, which run at another rate.
        calls: of kernels that touch elements.
        bytes: read and written by those that are no matrix product or convolution.
        functions: elements that went through exp, log and the like; those that take several
            times as long as exp, such as tanh or a random number, count as several.
        by_name: bytes of each kernel, to see what a count is made of.
    """

    products: float
    convolutions: float
    calls: int
    bytes: float
    functions: float
    by_name: Counter[str] = field(default_factory=Counter, compare=False)

    @property
    def flops(self) -> float:
        """Of matrix products and convolutions."""
        return self.products + self.convolutions

    def over(self, other: "Arithmetic") -> dict[str, float]:
        """Each count as a multiple of ``other``'s; NaN where that has none."""
        names = ("flops", "calls", "bytes", "functions")
        return {name: _ratio(getattr(self, name), getattr(other, name)) for name in names}


def _ratio(above: float, below: float) -> float:
    return above / below if below else math.nan


@dataclass(frozen=True)
class Prices:
    """Seconds of one of each count; none below 0."""

    product: float
    convolution: float
    byte: float
    call: float
    function: float

    def __str__(self) -> str:
        if math.isnan(self.call):
            return "No prices: too few rows."
        rates = [1e-9 / p if p else math.inf for p in (self.product, self.convolution, self.byte)]
        return (
            f"Prices: {rates[0]:,.0f} GFLOP/s of matrix products and {rates[1]:,.0f} of "
            f"convolutions, {rates[2]:,.0f} GB/s, {self.call * 1e6:.1f} us a call, "
            f"{self.function * 1e9:.2f} ns a function."
        )

    def ratio(self, above: Arithmetic, below: Arithmetic) -> float:
        """Of the seconds that the counts come to; NaN where nothing has a price."""
        return _ratio(self._seconds(above), self._seconds(below))

    def _seconds(self, counts: Arithmetic) -> float:
        return float(np.dot(_row(counts), astuple(self)))


def find_prices(counts: Sequence[Arithmetic], seconds: Sequence[float]) -> Prices:
    """Prices that explain all ``seconds`` best, by the sum of relative errors.

    That sum, unlike one of squares, is not moved by a few that are slow for another reason. So
    few steps that they could be explained by anything have prices of NaN.
    """
    if len(counts) < LEAST_ROWS:
        return Prices(*[math.nan] * 5)
    relative = np.array([_row(c) for c in counts]) / np.array(seconds)[:, None]
    weights = np.ones(len(counts))
    for _ in range(30):
        prices, _ = nnls(relative * weights[:, None], weights)
        errors = np.abs(relative @ prices - 1)
        weights = 1 / np.sqrt(np.maximum(errors, 0.01))
    return Prices(*prices.tolist())


def _row(counts: Arithmetic) -> tuple[float, ...]:
    return counts.products, counts.convolutions, counts.bytes, counts.calls, counts.functions


def count_arithmetic(step: Callable[[], Any]) -> Arithmetic:
    """Counts of ``step()``, forward, backward and the optimiser if it has them."""
    with FlopCounterMode(display=False) as flops, _Kernels() as kernels:
        step()
    by_kernel = flops.get_flop_counts()["Global"]
    convolutions = sum(n for kernel, n in by_kernel.items() if "convolution" in str(kernel))
    return Arithmetic(
        float(flops.get_total_flops() - convolutions),
        float(convolutions),
        kernels.calls,
        kernels.bytes,
        kernels.functions,
        kernels.by_name,
    )


class _Kernels(TorchDispatchMode):
    """Counts what is dispatched inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.bytes = 0.0
        self.functions = 0.0
        self.by_name: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in _FREE or func.is_view:
            return result
        self.calls += 1
        made = _tensors(result)
        if not _is_product(name):
            # What is changed in place is counted as read and as written.
            size = sum(_size(t) for t in (*_tensors((args, kwargs)), *made))
            self.bytes += size
            self.by_name[name] += size
        self.functions += _weight(name) * sum(t.numel() for t in made if t.is_floating_point())
        return result


def _weight(name: str) -> int:
    """Of what is no function, 0; a gradient counts as the function does."""
    names = (name, name.removesuffix("_backward"), name.removesuffix("_"))
    return next((_WEIGHTS[known] for known in names if known in _WEIGHTS), 0)


def _is_product(name: str) -> bool:
    return name in ("mm", "addmm", "bmm", "baddbmm") or "convolution" in name


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _size(tensor: Tensor) -> int:
    """Bytes of the elements behind ``tensor``; an expanded one has fewer than it shows."""
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    return math.prod(n for n, stride in sizes if stride) * tensor.element_size()
