"""What is answered instead of doing what was asked: to clients, and to the utility's own side."""

from __future__ import annotations

from contracts.errors import PermanentError
from contracts.sep2.codes import ReasonCode

NO_CONTENT, CREATED, OK = 204, 201, 200
BAD_REQUEST, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 400, 403, 404, 405
CONFLICT, TOO_LARGE, UNSUPPORTED = 409, 413, 415


class UnknownNameError(PermanentError):
    """The utility was told to do something with what there is not."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure
    """An HTTP status above 399, with the reason of the standard's Error."""

    def __init__(
        self, status: int, message: str, reason: ReasonCode = ReasonCode.INVALID_VALUES
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


def not_found(what: str = "nothing here") -> Refused:
    """404, which also hides what a client may not see (5.5)."""
    return Refused(NOT_FOUND, what)


def bad_request(what: str, reason: ReasonCode = ReasonCode.INVALID_VALUES) -> Refused:
    """400."""
    return Refused(BAD_REQUEST, what, reason)
