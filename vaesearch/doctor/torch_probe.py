"""Tells what torch says of this machine; a process of its own, for a broken torch may kill it.

::

    python -m vaesearch.doctor.torch_probe
"""

import json
from typing import Any


def report() -> dict[str, Any]:
    """Versions, GPUs, and why torchvision cannot be imported, if so."""
    import torch

    found: dict[str, Any] = {"torch": torch.__version__, "cuda": torch.version.cuda, "gpus": []}
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(number)
            name = torch.cuda.get_device_name(number)
            found["gpus"].append({"name": name, "free": free, "total": total})
        # A build without code for this GPU fails here and not before.
        found["sum"] = float(torch.ones(2, device="cuda").sum())
    try:
        import torchvision

        torchvision.ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
        found["torchvision"] = torchvision.__version__
    except ModuleNotFoundError as error:
        found["missing"] = str(error)
    except Exception as error:  # whatever two builds that do not fit come up with
        found["broken"] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    print(json.dumps(report()))  # noqa: T201
