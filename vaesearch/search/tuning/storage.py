"""An Optuna storage to write into, or a line that says why it cannot be one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from vaesearch.errors import InputError
from vaesearch.search.tuning.addresses import Address, without_secrets
from vaesearch.search.tuning.study import StudyKey, claim, find

_OWN_TABLES = {"studies", "trials", "version_info"}  # there whatever the version of Optuna
_ATTEMPTS = 5  # at making tables, which another search may be doing at this moment
PATIENCE = 30.0  # seconds until a storage must have answered


@contextmanager
def opened(address: Address) -> Iterator[RDBStorage]:
    """The storage at ``address``, made if its database is empty; its connections end with it.

    Raises:
        InputError: the database is of something else, or of another version of Optuna.
        Exception: those of SQLAlchemy and of drivers, if it does not answer.
    """
    _check_tables(address)
    storage = _made(address)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def check(address: Address) -> None:
    """Refuse a storage that cannot be used now; nothing is written to it.

    Raises:
        InputError: no connection, or the database is of something else.
    """
    _within(address, lambda: _check_tables(address))


def claim_at(address: Address, key: StudyKey, *, anew: bool = True) -> None:
    """Take the name of a study, so that no other search has it.

    Args:
        address: of the storage.
        key: of the study.
        anew: whether the search begins only now, so that there must be no such study yet.

    Raises:
        InputError: another one has it, or the storage cannot be used.
    """

    def act() -> None:
        with opened(address) as storage:
            (claim if anew else find)(storage, key)

    _within(address, act)


def _within(address: Address, action: Callable[[], None]) -> None:
    """Carry ``action`` out, if that can be done in time.

    Raises:
        InputError: the storage refuses, or does not answer.
    """
    outcome: list[Exception | None] = []

    def act() -> None:
        try:
            action()
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    # In a thread, for a server that lets one in and then says nothing.
    thread = Thread(target=act, name="optuna-storage", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not outcome:
        raise InputError(f"--storage {address.shown} does not answer.")
    error = outcome[0]
    if isinstance(error, InputError):
        raise error
    if error is not None:
        raise InputError(f"--storage {address.shown}: {explain(error, address)}") from error


def explain(error: BaseException, address: Address) -> str:
    """One line for a person: what the driver said, without the password."""
    while (cause := getattr(error, "orig", None) or error.__cause__) is not None:
        error = cause
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    if "no password supplied" in said:
        said += " (set PGPASSWORD, or give --storage with it)"
    return without_secrets(said, address.text)[:300]


def _check_tables(address: Address) -> None:
    if address.file is not None:
        if not address.file.parent.is_dir():
            raise InputError(
                f"--storage {address.shown}: there is no folder {address.file.parent}."
            )
        if not address.file.exists():
            return  # connecting would make it
    engine = sqlalchemy.create_engine(address.text.format(), **address.engine)
    try:
        tables = set(sqlalchemy.inspect(engine).get_table_names())
    finally:
        engine.dispose()
    if tables and not tables >= _OWN_TABLES:
        some = ", ".join(sorted(tables)[:3])
        raise InputError(
            f"--storage {address.shown} is no Optuna storage: it holds {some}, ... "
            "Give a database of its own."
        )


def _made(address: Address) -> RDBStorage:
    for attempt in range(_ATTEMPTS):
        try:
            return RDBStorage(address.text, engine_kwargs={**address.engine})
        except RuntimeError as error:
            raise InputError(
                f"--storage {address.shown} was made by another version of Optuna, with other "
                "tables: `optuna storage upgrade --storage URL` brings an older one up to date."
            ) from error
        except SQLAlchemyError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2 * (attempt + 1))
    raise AssertionError("not reached")
