"""Reads a ledger while it grows, each byte once."""

import json
from pathlib import Path

from vaesearch.errors import LedgerError
from vaesearch.events import Event, event_from_dict


class LedgerTail:
    """Follows ``path``; a last line without its newline is not there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._lines = 0

    def read(self) -> list[Event]:
        """The events written since the last call; none where there is no file yet.

        Raises:
            LedgerError: the next line is damaged. Events before it were returned already.
        """
        events: list[Event] = []
        for line in self._whole_lines():
            try:
                event = event_from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                if events:
                    break
                # A crash may leave a torn line with a newline: the search repairs it on resuming.
                number = self._lines + 1
                raise LedgerError(f"{self.path}: line {number} is damaged ({error}).") from error
            events.append(event)
            self._lines += 1
            self._offset += len(line) + 1
        return events

    def _whole_lines(self) -> list[bytes]:
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            return file.read().split(b"\n")[:-1]
