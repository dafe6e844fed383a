"""What a training step computes, counted as its operations are dispatched, without timing it.

FLOPs are of matrix products and convolutions only (a multiplication and an addition are two).
Everything else goes through memory once per operation, so bytes stand for it; and each call of a
kernel has a price of its own, whatever the size of its tensors.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

# Allocation and relabelling, which touch no elements.
_FREE = {"empty", "empty_like", "new_empty", "detach", "lift_fresh", "_unsafe_view", "set_"}
# Of many instructions per element, where an addition has one: by the name's first part.
_FUNCTIONS = {
    "exp", "expm1", "log", "log1p", "log2", "tanh", "sigmoid", "erf", "erfc", "erfcx", "erfinv",
    "softplus", "lgamma", "digamma", "polygamma", "pow", "sin", "cos", "sinh", "cosh", "atanh",
    "logsumexp", "_softmax", "_log_softmax", "log_sigmoid_forward", "logaddexp",
    "binary_cross_entropy_with_logits", "elu", "gelu", "silu", "mish", "selu", "special_ndtr",
    "special_log_ndtr", "special_erfcx", "normal_", "randn", "uniform_", "rand", "bernoulli_",
}  # fmt: skip


@dataclass(frozen=True)
class Arithmetic:
    """Counts of one step.

    Attributes:
        products: FLOPs of matrix products.
        convolutions: FLOPs of convolutions, which run at another rate.
        calls: of kernels that touch elements.
        bytes: read and written by those that are no matrix product or convolution.
        functions: elements that went through exp, log, tanh, a random number and the like.
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
        if name.removesuffix("_backward") in _FUNCTIONS or name.rstrip("_") in _FUNCTIONS:
            self.functions += sum(t.numel() for t in made)
        return result


def _is_product(name: str) -> bool:
    return name in ("mm", "addmm", "bmm", "baddbmm") or "convolution" in name


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _size(tensor: Tensor) -> int:
    """Bytes of the elements behind ``tensor``; an expanded one has fewer than it shows."""
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    return math.prod(n for n, stride in sizes if stride) * tensor.element_size()
