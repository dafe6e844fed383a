"""The Optuna study that shows a search: whether there can be one, and what writes it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import vaesearch
from vaesearch.config import NO_STORAGE, Config, TuneConfig
from vaesearch.errors import InputError
from vaesearch.events import Event
from vaesearch.search.run_dir import RunDir
from vaesearch.search.state import SearchState
from vaesearch.space import Space

if TYPE_CHECKING:
    from vaesearch.search.tuning.addresses import Address


class Mirror(Protocol):
    """Shows a search in another place while it runs; never stops or slows it."""

    def start(self, events: Sequence[Event], state: SearchState) -> None:
        """Begin, with what the ledger has so far and its state; returns at once."""
        ...

    def observe(self, event: Event, state: SearchState) -> None:
        """Take note of an event; returns at once."""
        ...

    def close(self, timeout: float) -> str | None:
        """Write the rest, for ``timeout`` seconds at most.

        Returns:
            None if everything is there, else what is missing and how to send it.
        """
        ...


class NoMirror:
    """Shows nothing anywhere."""

    def start(self, events: Sequence[Event], state: SearchState) -> None:
        """Do nothing."""

    def observe(self, event: Event, state: SearchState) -> None:
        """Do nothing."""

    def close(self, timeout: float) -> str | None:
        """Nothing is missing."""
        return None


def named(config: Config, search_id: str) -> Config:
    """The configuration with the name of its study filled in."""
    if not isinstance(config, TuneConfig) or config.study or config.storage == NO_STORAGE:
        return config
    from vaesearch.search.tuning.study import default_name

    return replace(config, study=default_name(config.dataset, search_id))


def check_storage(config: Config, run_dir: RunDir) -> None:
    """Refuse a storage that cannot be used; nothing is written.

    Raises:
        InputError: says what is wrong with it.
    """
    address = study_address(config, run_dir)
    if address is None or not isinstance(config, TuneConfig):
        return
    if config.storage and config.storage == config.tracking_uri:
        raise InputError("--storage and --tracking-uri need a database each.")
    if config.storage:  # that in the run directory is there only when the search is
        from vaesearch.search.tuning.storage import check

        check(address)


def claim_study(config: Config, run_dir: RunDir, search_id: str, space: Space | None) -> Mirror:
    """What is to write the study of a new search, whose name is taken from here on.

    Raises:
        InputError: the name is taken, or the storage cannot be used.
    """
    address = study_address(config, run_dir)
    if address is None or space is None or not isinstance(config, TuneConfig):
        return NoMirror()
    from vaesearch.search.tuning.mirroring import StudyMirror
    from vaesearch.search.tuning.storage import claim_at
    from vaesearch.search.tuning.study import key_of

    key = key_of(config.to_dict(), search_id, space, run_dir.address, vaesearch.__version__)
    if config.storage:
        claim_at(address, key)
    return StudyMirror(address, key, space, run_dir.address)


def mirror_of(
    config: Config, run_dir: RunDir, state: SearchState, *, claimed: bool = True
) -> Mirror:
    """What goes on writing the study of a search.

    Args:
        config: to go on with.
        run_dir: of the search.
        state: as it was.
        claimed: whether the study is known to be this search's; else it is claimed now.

    Raises:
        InputError: the address of the storage cannot be used on this machine, or the name of the
            study is taken.
    """
    address = study_address(config, run_dir)
    if address is None or state.space is None:
        return NoMirror()
    from vaesearch.search.tuning.mirroring import StudyMirror
    from vaesearch.search.tuning.storage import claim_at
    from vaesearch.search.tuning.study import key_of

    space = Space.from_dict(state.space)
    options = config.to_dict()
    key = key_of(options, state.search_id, space, run_dir.address, vaesearch.__version__)
    if not claimed:
        claim_at(address, key, anew=False)
    return StudyMirror(address, key, space, run_dir.address)


def study_address(config: Config, run_dir: RunDir) -> "Address | None":
    """Where the study of a search is; None for a search without one.

    Raises:
        InputError: no database can be there.
    """
    if not isinstance(config, TuneConfig) or config.storage == NO_STORAGE:
        return None
    from vaesearch.search.tuning.addresses import default_address, parse

    return parse(config.storage or default_address(run_dir.study))
