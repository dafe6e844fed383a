"""The right to work on a run in an object store, with what that takes: lease, copy, mirror."""

import logging
import uuid
from dataclasses import replace

from vaesearch.errors import RunDirError, VaesearchError
from vaesearch.search.home import LEDGER, Home, said
from vaesearch.search.lease import Lease
from vaesearch.search.mirror import LedgerMirror
from vaesearch.search.segments import SegmentWriter, identity
from vaesearch.storage import folder_of

LAST_PATIENCE = 10.0  # seconds for the last lines of a search that was stopped

_log = logging.getLogger(__name__)


class Working:
    """Held by one process at a time for each run.

    Args:
        home: of the run.

    Attributes:
        mirror: sends what the ledger gains.

    Raises:
        RunDirError: another process works on the run, or has just done so.
        StorageError: the storage does not answer, or cannot be written.
    """

    def __init__(self, home: Home) -> None:
        self._home, self._token = home, uuid.uuid4().hex
        address = home.folder.address
        before = home.known()
        self._lease = Lease(home.folder, self._token)
        try:
            self._lease.acquire(dead=before.token or None)
        except OSError as error:
            raise said("write", error.filename or address, error) from error
        try:
            self.mirror = self._claim(address)
        except BaseException:
            self._lease.release()
            raise

    def _claim(self, address: str) -> LedgerMirror:
        home = self._home
        home.fetch()
        home.folder = folder_of(address)  # from here on it is worth waiting for
        writer = SegmentWriter(home.folder, self._token, home.known().part)
        try:
            late = writer.claim()
            if late:
                home.fetch()
            known = home.known()
            first = known.first or identity(home.folder)  # perhaps of the part just made
            home.remember(replace(known, token=self._token, part=writer.number, first=first))
        except OSError as error:
            raise said("write", error.filename or address, error) from error
        return LedgerMirror(
            home.path / LEDGER, writer, home.known().size, address,
            is_lost=lambda: self._lease.lost,
        )  # fmt: skip

    def deliver(self) -> None:
        """Send everything and wait for it.

        Raises:
            StorageError: the storage does not take it.
            RunDirError: another process works on the run.
        """
        self.mirror.flush()
        self._home.put(delete=True)
        self._home.put_ledger()

    def discard(self) -> bool:
        """Leave no trace of a process that only had a look, and let others have the run.

        Returns:
            Whether that is done; if not, :meth:`end` is still to be called.
        """
        if self._lease.lost:
            return False
        self._lease.rest()
        if not self._home.discard():
            return False
        self.mirror.close()
        return True

    def end(self) -> None:
        """Send what can still be sent, and let others have the run."""
        try:
            self.mirror.flush(LAST_PATIENCE)
            self._lease.check()
            self._home.put(delete=True)
            known = self._home.known()
            self._home.remember(
                replace(known, part=self.mirror.writer.number, size=self.mirror.sent)
            )
        except RunDirError:
            pass  # it is another's now
        except VaesearchError as error:
            _log.warning("%s What is missing there is kept in %s.", error, self._home.path)
        except OSError as error:  # a full disk here: the next look finds out
            _log.warning("%s", said("write", error.filename or str(self._home.path), error))
        finally:
            self.mirror.close()
            self._lease.release()
