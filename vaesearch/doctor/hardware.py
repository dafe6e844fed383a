"""torch with its torchvision, GPUs, and cores."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import which
from typing import Any

from vaesearch.doctor.core import Finding, Question, fail, ok, warning
from vaesearch.doctor.processes import ProbeError, ask, run

TORCH_SECONDS = 90.0  # the first import from a slow disk
SMI_SECONDS = 15.0
SCARCE = 0.25  # of a GPU's memory free
PAIR = "reinstall both from one index: pip install --force-reinstall torch torchvision"


def look_torch(question: Question) -> Iterator[Finding]:
    """The pair of torch and torchvision, and the GPUs as torch sees them."""
    smi, problem = nvidia_smi()
    try:
        found = ask("vaesearch.doctor.torch_probe", limit=TORCH_SECONDS)
    except ProbeError as error:
        yield fail("torch", f"it cannot be used: {error}", PAIR)
        return
    yield from judge_pair(found)
    yield from judge_gpus(found, smi, problem)


def judge_pair(found: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the two builds fit each other."""
    build = f"CUDA {found['cuda']}" if found.get("cuda") else "CPU only"
    seen = f"torch {found['torch']} ({build})"
    if "broken" in found:
        reason = " ".join(found["broken"].split())[:160]
        yield fail("torch", f"{seen}; torchvision does not fit it: {reason}", PAIR)
    elif "missing" in found:
        yield warning("torch", f"{seen}; {found['missing']}: no downloads", PAIR)
    else:
        yield ok("torch", f"{seen}, torchvision {found['torchvision']}")


def judge_gpus(
    found: Mapping[str, Any], smi: Sequence[str], problem: str = ""
) -> Iterator[Finding]:
    """Whether torch sees the GPUs that the driver has.

    Args:
        found: by torch.
        smi: a line per GPU of the driver; empty where there is none.
        problem: what the driver's own tool complained of.
    """
    gpus = found["gpus"]
    if gpus:
        driver = f", driver {smi[0].rsplit(', ', 1)[-1]}" if smi else ""
        for number, gpu in enumerate(gpus):
            memory = f"{gpu['free'] / 1e9:.0f} of {gpu['total'] / 1e9:.0f} GB free"
            seen = f"{number}: {gpu['name']}, {memory}{driver}"
            if gpu["free"] < SCARCE * gpu["total"]:
                cure = "other programs hold its memory (nvidia-smi lists them): arms may not fit"
                yield warning("GPU", seen, cure)
            else:
                yield ok("GPU", seen)
    elif smi and os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        yield warning("GPU", "hidden by CUDA_VISIBLE_DEVICES=''", "unset CUDA_VISIBLE_DEVICES")
    elif smi and not found.get("cuda"):
        seen = f"{smi[0]} is there, but this torch is a CPU-only build"
        yield fail("GPU", seen, "pip install --force-reinstall 'torch>=2.11' torchvision")
    elif smi:
        seen = f"{smi[0]} is there, but torch for CUDA {found['cuda']} cannot use it"
        cure = "update the driver, or install a torch for the CUDA that `nvidia-smi` shows"
        yield fail("GPU", seen, cure)
    elif problem:
        yield fail("GPU", f"nvidia-smi: {problem}", "mend the driver: reload it, or restart")
    else:
        yield ok("GPU", "none: training is on the CPU")


def nvidia_smi() -> tuple[list[str], str]:
    """``NAME, MEMORY, DRIVER`` of each GPU by the driver's own tool, and what it complained of."""
    if which("nvidia-smi") is None:
        return [], ""
    fields = "--query-gpu=name,memory.total,driver_version"
    try:
        status, out, err = run(["nvidia-smi", fields, "--format=csv,noheader"], SMI_SECONDS)
    except ProbeError as error:
        return [], str(error)
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    return (lines, "") if status == 0 else ([], " ".join((out + err).split())[:200])


def look_cores(question: Question) -> Iterator[Finding]:
    """Cores that this process may use, and who else uses them."""
    yield judge_cores(
        os.cpu_count() or 1,
        len(os.sched_getaffinity(0)),
        quota(Path("/sys/fs/cgroup/cpu.max")),
        os.getloadavg()[0],
        os.environ.get("OMP_NUM_THREADS", ""),
    )


def judge_cores(
    cores: int, usable: int, share: float | None, load: float, threads: str
) -> Finding:
    """Whether as many workers as cores would each have one.

    Args:
        cores: of the machine; by default there are that many workers.
        usable: those that this process may run on.
        share: cores' worth of time that its container may use; None without a limit.
        load: processes that want a core, over the last minute.
        threads: ``OMP_NUM_THREADS``.
    """
    name, room = "cores", min(usable, share or usable)
    seen = f"{cores}, load {load:.1f}"
    if threads:
        seen += f", OMP_NUM_THREADS={threads}"
    if room < cores:
        seen += f"; this process may use {room:g} of them"
        workers = max(1, int(room))
        return warning(name, seen, f"by default there are {cores} workers: --workers {workers}")
    if threads.isdigit() and int(threads) > cores:
        return warning(name, seen, f"export OMP_NUM_THREADS=1: {threads} threads share {cores}")
    if load > cores:
        cure = "other programs compute: epochs take longer; with --seconds there are fewer"
        return warning(name, seen, cure)
    return ok(name, seen)


def quota(path: Path) -> float | None:
    """Cores' worth of time that the control group has."""
    try:
        most, period = path.read_text().split()
    except (OSError, ValueError):
        return None
    return None if most == "max" else int(most) / int(period)
