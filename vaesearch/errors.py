"""What can go wrong, drawn as a tree; every message says what was given and what to do.

::

    VaesearchError            the search failed                         exit status 1
    ├── InputError            wrong usage or input                      exit status 2
    │   ├── DataError         a dataset is missing, damaged or unusable
    │   ├── RecordingError    recorded curves are missing, damaged or incomplete
    │   └── RunDirError       a run directory is in use, missing or another's
    │       └── LedgerError   a ledger is damaged in the middle
    ├── PolicyError           a policy failed, or decided what is not allowed
    ├── CheckpointError       a checkpoint is missing, damaged or of the wrong epoch
    ├── DivergedError         training produced NaN or infinity
    ├── OutOfMemoryError      a model and its batch do not fit into a GPU's memory
    └── StorageError          the run directory cannot be written (full, read-only)
"""

import difflib
from collections.abc import Iterable


class VaesearchError(Exception):
    """Base of all errors that a user may see; the message is complete without a traceback."""

    exit_status = 1


class InputError(VaesearchError):
    """The user gave something that cannot be used."""

    exit_status = 2


class DataError(InputError):
    """A dataset is missing, damaged, or cannot be brought to the shape that was asked for."""


class RecordingError(InputError):
    """Recorded curves are missing or damaged, have gaps, or do not say what they measure."""


class RunDirError(InputError):
    """A run directory is missing, in use, or belongs to another configuration."""


class LedgerError(RunDirError):
    """A ledger is damaged somewhere other than in its last line."""


class PolicyError(VaesearchError):
    """A policy raised an error, or its decision cannot be carried out; the search is as before."""


class CheckpointError(VaesearchError):
    """A checkpoint is missing, damaged, or not the one that the ledger names."""


class DivergedError(VaesearchError):
    """Training left the numbers: a loss or a reward is NaN or infinite."""


class OutOfMemoryError(VaesearchError):
    """A model and its batch do not fit into the memory of the GPU.

    A message that begins with ``VALIDATION`` and a colon is of batches that no option sets.
    """

    VALIDATION = "validation"


class StorageError(VaesearchError):
    """The run directory cannot be written."""


def unknown_name(kind: str, given: str, allowed: Iterable[str]) -> InputError:
    """An error for a name that is on no list, with the nearest name that is."""
    names = sorted(allowed)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"unknown {kind} {given!r}: {hint}Allowed: {', '.join(names)}.")
