"""The program of a job: looks whether the machine has what the search needs, then is the command.

It is sent as a file and is run by whatever Python 3 the cluster has: hence annotations in quotes
and no newer syntax, and nothing of this package before the checks are passed.
"""

import json
import os
import re
import runpy
import shutil
import sys
import tempfile

NOTES = "vaesearch_job.json"
SENT = "sent"  # the folder of the files that came along
RUNS = "VAESEARCH_RUNS"
REFUSED = 2


def main(arguments: "list[str]") -> int:
    """Check, put files in their places, and become the command."""
    with open(NOTES, encoding="utf-8") as file:
        notes = json.load(file)
    fault = python_fault(notes, sys.version_info[:2]) or package_fault(notes)
    if not fault:
        arguments, fault = placed(arguments, notes)
    if fault:
        sys.stderr.write("error: " + fault + "\n")
        return REFUSED
    # Logs are read in files: no colours, no cursor, and room for tables.
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CLICOLOR_FORCE"):
        os.environ.pop(name, None)
    os.environ.update({"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"})
    sys.argv = ["vaesearch", *arguments]
    runpy.run_module("vaesearch", run_name="__main__", alter_sys=False)
    return 0


def python_fault(notes: dict, found: tuple) -> str:  # type: ignore[type-arg]
    """Why an interpreter of version ``found`` will not do; empty if it will."""
    ours, least = tuple(notes["python"]), tuple(notes["least_python"])
    here = "the cluster runs Python " + dotted(found) + " (" + sys.executable + ")"
    if found < least:
        return (
            here + ", and vaesearch needs " + dotted(least) + " or later.\n"
            "Start Ray there from an environment that has it, or name one: --python /PATH/python."
        )
    if found != ours and not notes["other_versions"]:
        return (
            here + ", and the job was sent from Python " + dotted(ours) + ".\n"
            "Use the same on both sides, or submit with --other-versions to try all the same."
        )
    return ""


def package_fault(notes: dict) -> str:  # type: ignore[type-arg]
    """Which packages are missing or too old; empty if none is."""
    from importlib.metadata import PackageNotFoundError, version

    faults = []
    for name, least in notes["needs"]:
        try:
            found = version(name)
        except PackageNotFoundError:
            faults.append(name + " (missing)")
            continue
        if numbers(found) < numbers(least):
            faults.append(name + " " + found + " (needs " + least + ")")
    if faults:
        return (
            "the cluster's " + sys.executable + " lacks " + ", ".join(faults) + ".\n"
            "Install vaesearch on every node, submit with --pip for small packages, or name the "
            "environment that Ray was started from: --python /PATH/python."
        )
    ray = str(version("ray"))
    if ray != notes["ray"] and not notes["other_versions"]:
        return (
            str(sys.executable)
            + " has Ray "
            + ray
            + ", and its head runs "
            + str(notes["ray"])
            + ".\n"
            "Name the environment that Ray was started from: --python /PATH/python."
        )
    return ""


def placed(arguments: "list[str]", notes: dict) -> "tuple[list[str], str]":  # type: ignore[type-arg]
    """The arguments with places as they are on this machine, and what is wrong with them."""
    name, runs = notes["run_name"], os.environ.get(RUNS, "")
    if name and not ("://" in runs or os.path.isabs(runs)):
        return [], (
            "where shall the run go? The cluster does not set " + RUNS + " to a path or URL.\n"
            "Submit with --run-dir s3://BUCKET/runs/"
            + name
            + " or --run-dir /PATH/"
            + name
            + ", on storage that all nodes see."
        )
    for flag, path in notes["must_exist"]:
        if not os.path.exists(os.path.expanduser(path)):
            return [], (
                flag + " " + path + ": there is no such file where the search runs; absolute "
                "paths are of the cluster.\nTo send yours give a relative path, or put it on "
                "storage that all nodes see."
            )
    run_dir = notes["run_dir"]
    if name:
        run_dir = runs.rstrip("/") + "/" + name
        sys.stdout.write("Run directory: " + run_dir + "\n")
        arguments = [*arguments, "--run-dir=" + run_dir]
    if notes["own_data_dir"]:
        data = os.environ.get("VAESEARCH_DATA") or os.path.join(cache(), "data")
        arguments = [*arguments, "--data-dir=" + data]
    try:
        return [kept(word, notes["kept"], run_dir) for word in arguments], ""
    except OSError as error:
        return [], (
            "a file that was sent cannot be kept: " + str(error) + ".\n"
            "Give a --run-dir in a folder that can be written, or put the file on the cluster."
        )


def cache() -> str:
    """The folder of this user for what can be made again."""
    default = os.path.join(os.path.expanduser("~"), ".cache", "vaesearch")
    return os.environ.get("VAESEARCH_CACHE") or default


def kept(word: str, values: "list[str]", run_dir: str) -> str:
    """The word; if its value is a file to be kept, that of a copy which outlives the job.

    The place follows from the content, so that the same command means the same search again; it
    is beside the run where all nodes see that, else in the cache of this machine.
    """
    flag, _, value = word.partition("=")
    if value not in values:
        return word
    is_path = os.path.isabs(run_dir)
    root = os.path.join(os.path.dirname(run_dir), ".sent") if is_path else cache() + "/sent"
    digest = value.split("/")[1]
    target = os.path.join(root, digest)
    if not os.path.isdir(target):
        os.makedirs(root, exist_ok=True)
        beside = tempfile.mkdtemp(dir=root)
        shutil.copytree(os.path.join(SENT, digest), os.path.join(beside, digest))
        try:
            os.rename(os.path.join(beside, digest), target)
        except OSError:  # another job was faster
            if not os.path.isdir(target):
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return flag + "=" + "/".join([target, *value.split("/")[2:]])


def numbers(text: str) -> "list[int]":
    """The numbers that a version begins with, to be compared."""
    found = re.match(r"[\d.]*", text)
    return [int(part) for part in (found.group() if found else "").split(".") if part]


def dotted(pair: tuple) -> str:  # type: ignore[type-arg]
    """A version for people."""
    return ".".join(str(part) for part in pair)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # stopped before the command could take care of it
        sys.exit(130)
