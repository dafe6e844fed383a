"""Why MLflow did not take something, in one line for a person."""

import re

from vaesearch.errors import VaesearchError
from vaesearch.tracking.uris import identity, redacted_in

_MOST = 300  # characters
_CODE = re.compile(r"error code (401|403)\b")


def explain(error: BaseException, uri: str = "", experiment: str = "") -> str:
    """The first cause, which says more than what came of it; what to do, where that is known.

    Our own errors say it all already.
    """
    first = _first(error)
    refused = _refusal(error) or _refusal(first)
    if refused == "401":
        return (
            f"{identity(uri)} wants another name or password (401): set MLFLOW_TRACKING_USERNAME "
            "and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    if refused == "403":
        return (
            f"{identity(uri)} does not let this user write to the experiment {experiment!r} or to "
            "its models (403): ask its admin for EDIT permission, or give another --experiment"
        )
    text = " ".join(str(first).split()) or type(first).__name__
    text = re.sub(r"<[^<>]* at 0x[0-9a-f]+>:? ?", "", text)
    return redacted_in(text)[:_MOST]


def _first(error: BaseException) -> BaseException:
    while not isinstance(error, VaesearchError):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            break
        error = cause
    return error


def _refusal(error: BaseException) -> str | None:
    """401 or 403, if that is what a server answered."""
    code = getattr(error, "error_code", None)
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return "401" if code == "UNAUTHENTICATED" else "403"
    status = getattr(getattr(error, "response", None), "status_code", None)
    found = _CODE.search(str(error))
    return str(status) if status in (401, 403) else found.group(1) if found else None
