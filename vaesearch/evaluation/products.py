"""Dense layers by oneDNN, where that is faster than what torch takes by default.

On a CPU torch multiplies float32 matrices by MKL, which leaves half the vector units of CPUs with
AVX-512 unused that are not Intel's. oneDNN is part of torch and uses them: decoding is up to
twice as fast. Results are the same up to rounding.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


def fast_products() -> AbstractContextManager[Any]:
    """In this context dense layers are evaluated in the faster way, if there is one."""
    return ByOneDNN() if is_faster() else nullcontext()


class ByOneDNN(TorchFunctionMode):
    """Dense layers in float32 on a CPU by oneDNN; gradients go to their inputs only."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Replace ``linear`` where that is possible."""
        if func is F.linear and not kwargs and _fits(*args):
            return _Linear.apply(*args, *[None] * (3 - len(args)))
        return func(*args, **(kwargs or {}))


@cache
def is_faster() -> bool:
    """Whether the CPU is one that MKL does not make full use of, and oneDNN is there."""
    return (
        bool(torch._C.has_mkl)
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and _vendor() not in ("", "GenuineIntel")
        and _works()
    )


def _vendor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")]
    return names[0] if names else ""


def _works() -> bool:
    """Whether the operator, which torch does not promise to keep, does what is expected of it."""
    x, weight, bias = (torch.arange(count).float() for count in (6, 8, 4))
    x, weight = x.view(3, 2), weight.view(4, 2)
    try:
        return torch.allclose(_linear(x, weight, bias), F.linear(x, weight, bias))
    except (AttributeError, RuntimeError, TypeError):
        return False


def _fits(x: Any, weight: Any, bias: Any = None) -> bool:
    return (
        all(
            type(given) in (Tensor, torch.nn.Parameter)
            and given.dtype == torch.float32
            and given.device.type == "cpu"
            for given in (x, weight, bias)
            if given is not None
        )
        and x.dim() == 2
        and not weight.requires_grad
        and not (bias is not None and bias.requires_grad)
        and not torch.is_autocast_enabled("cpu")
    )


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    made: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return made


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return _linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return _linear(gradient.contiguous(), weight.t(), None), None, None
