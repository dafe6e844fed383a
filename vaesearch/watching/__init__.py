"""How far a run is, seen from outside: nothing here writes, repairs or starts anything."""

from vaesearch.watching.looking import Look, look
from vaesearch.watching.status import Status, status_of

__all__ = ["Look", "Status", "look", "status_of"]
