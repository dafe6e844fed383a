"""Whether all machines of a cluster fit together, and see the same storage at the same time."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vaesearch.doctor.core import Finding, Question, fail, ok, warning
from vaesearch.doctor.disks import ENOUGH, LEAST, nearest, runs_of, tidy
from vaesearch.doctor.processes import ProbeError, ask
from vaesearch.doctor.versions import installed
from vaesearch.jobs.addresses import is_loopback
from vaesearch.storage import is_url

SECONDS = 240.0
SKEW = 1.0  # seconds
LITTLE_MEMORY = 2e9


def look_cluster(question: Question) -> Iterator[Finding]:
    """Every node by a task pinned to it."""
    address = question.address
    if address is None:
        return
    if installed("ray") is None:
        yield fail("cluster", "Ray is not installed here", "pip install 'ray[default]'")
        return
    runs = runs_of(question)
    where = runs if is_url(runs) else str(nearest(Path(runs)))
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore"}
    try:
        module = "vaesearch.doctor.asking_nodes"
        told = ask(module, address, where, limit=SECONDS, environ=quiet)
    except ProbeError as error:
        cure = "see `ray status` on the head; this program must run on a machine of the cluster"
        yield fail("cluster", f"{address}: {error}", cure)
        return
    if "refused" in told:
        what, _, cure = told["refused"].partition("\n")
        yield fail("cluster", what, cure)
        return
    tidy(where)
    yield judge_token(address, told["auth"])
    yield from judge(told, where)


def judge_token(address: str, mode: str) -> Finding:
    """Whether whoever reaches the port can run code.

    Args:
        address: of the head.
        mode: what it said of itself; empty if it could not be asked.
    """
    host = address.removeprefix("ray://").rpartition(":")[0].strip("[]")
    said = {"token": "on", "disabled": "off"}.get(mode, "not known")
    if mode == "token":
        return ok("token", "authentication is on")
    if not host or is_loopback(host):
        return ok("token", f"authentication is {said}; the head is on the loopback")
    cure = "start all nodes with RAY_AUTH_MODE=token, or keep the ports closed to others"
    if mode:
        return warning("token", f"off: whoever reaches {host} can run code there", cure)
    return warning("token", f"whether {host} wants a token cannot be asked this way", cure)


def judge(told: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """What the nodes' answers come to.

    Args:
        told: by ``asking_nodes``.
        where: the folder with the probe.
    """
    here, nodes = told["here"], told["nodes"]
    gpus = sum(n["gpu"] for n in nodes)
    yield ok("cluster", f"{len(nodes)} node{'s' * (len(nodes) != 1)}, {gpus:g} GPUs")
    for node in nodes:
        yield from judge_node(node, here, where)
    seeing = [n for n in nodes if n.get("storage") == ""]
    if nodes and len(seeing) == len(nodes):
        yield from _answered(seeing, told["answers"], where)


def _answered(
    nodes: Sequence[Mapping[str, Any]], answers: Sequence[str], where: str
) -> Iterator[Finding]:
    """Whether what the nodes wrote was read here."""
    hosts = {answer.rpartition(".")[0] for answer in answers}
    lost = [n["name"] for n in nodes if n["host"] not in hosts]
    if lost:
        cure = "use storage that all nodes share, such as --run-dir s3://bucket/runs/NAME"
        yield fail("storage", f"{where}: what {', '.join(lost)} wrote is not seen here", cure)
    else:
        yield ok("storage", f"{where} is the same on every node")


def judge_node(node: Mapping[str, Any], here: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """One node against this machine: a line for each fault, or one that all is well."""
    name = f"node {node['name']}"
    if "error" in node:
        cure = "look at its logs (/tmp/ray/session_latest/logs), or take it out of the cluster"
        yield fail(name, f"no answer: {node['error']}", cure)
        return
    bad = [
        *_versions(name, node, here), *_storage(name, node, where), *_gpus(name, node),
        *_clock(name, node), *_room(name, node),
    ]  # fmt: skip
    yield from bad
    if not bad:
        gpus = f", {', '.join(node['gpus'])}" if node["gpus"] else ""
        disk, skew = f"{node['disk'] / 1e9:.0f} GB of disk", f"{1000 * node['skew']:+.0f} ms"
        yield ok(name, f"{node['host']}: same versions{gpus}, {disk} free, clock {skew}")


def _versions(name: str, node: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[Finding]:
    ours, theirs = here["versions"], node["versions"]
    if not node["importable"]:
        cure = "install it there, or let it travel: vaesearch submit"
        yield fail(name, "vaesearch cannot be imported there", cure)
    if node["python"] != here["python"]:
        minor = node["python"].split(".")[:2] == here["python"].split(".")[:2]
        seen = f"Python {node['python']} there, {here['python']} here"
        cure = "install the same Python on all machines"
        yield (warning if minor else fail)(name, seen, cure)
    for package in ("ray", "torch", "vaesearch"):
        if theirs[package] == ours[package] or (package == "vaesearch" and not theirs[package]):
            continue  # that which travels has no version there
        seen = f"{package} {theirs[package] or 'is missing'} there, {ours[package]} here"
        # Another torch computes other bits: a pull done again elsewhere is not the same.
        slight = package == "torch" and theirs[package] is not None
        cure = f"install {package}=={ours[package]} on all machines"
        yield (warning if slight else fail)(name, seen, cure)


def _storage(name: str, node: Mapping[str, Any], where: str) -> Iterator[Finding]:
    if problem := node.get("storage"):
        what, _, rest = problem.partition(": use storage")
        cure = f"use storage{rest}" if rest else "mount it there, or give it the credentials"
        yield fail(name, f"storage: {' '.join(what.split())[:300]}", cure)


def _gpus(name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    has = len(node["gpus"])
    if has and not node["cuda"]:
        cure = "install a torch for CUDA there: pip install --force-reinstall torch torchvision"
        yield fail(name, f"{node['gpus'][0]} is there, but torch is a CPU-only build", cure)
    if has and has > node["gpu"]:
        seen = f"{has} GPUs, of which Ray was told {node['gpu']:g}"
        yield warning(name, seen, f"start Ray there with --num-gpus={has}")


def _clock(name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    skew = node["skew"]
    if abs(skew) > SKEW + node["round_trip"] / 2:
        seen = f"its clock is {abs(skew):.1f} s {'ahead' if skew > 0 else 'behind'}"
        yield warning(name, seen, "synchronise it (chrony, ntpd): times in logs would be wrong")


def _room(name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    free, memory = node["disk"], node["memory"]
    if free < ENOUGH:
        seen = f"{free / 1e9:.1f} GB of disk free for temporary files"
        yield (fail if free < LEAST else warning)(name, seen, "make room there")
    if memory is not None and memory < LITTLE_MEMORY:
        seen = f"{memory / 1e9:.1f} GB of memory left"
        yield warning(name, seen, "end other programs there, or start fewer workers")
