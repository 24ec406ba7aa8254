"""Named tolerances: what other implementations send against the rules, and we read all the same.

Each use is logged once a message and handed to whoever reads (`codec.receive`), who may also
allow only some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

import structlog

from contracts.errors import ProtocolError

_log = structlog.get_logger(__name__)


class Tolerance(StrEnum):
    """A departure from the profile that has one safe meaning."""

    ZONELESS_INSTANT = "zoneless_instant"
    """An instant without a time zone is UTC (profile rule 1 asks for `Z`)."""
    OFFSET_INSTANT = "offset_instant"
    """An instant with another zone than `Z`."""
    LONG_FRACTION = "long_fraction"
    """Digits beyond microseconds are dropped."""
    NOMINAL_CALENDAR = "nominal_calendar"
    """`P1M` and `P1Y`, which the schema allows, are 30 and 365 days."""
    LOOSE_DURATION = "loose_duration"
    """`P1W`, or a fraction of a second."""
    EMPTY_TEST_EVENT = "empty_test_event"
    """An empty `testEvent` is no test."""
    LOWER_CASE_SIMPLE = "lower_case_simple"
    """The signal `simple`, which the schema lists beside `SIMPLE`, is that one."""
    FOREIGN_SCHEMA_VERSION = "foreign_schema_version"
    """`schemaVersion` without its namespace, or not `2.0b`."""
    UNQUALIFIED_ID = "unqualified_id"
    """The `Id` of oadrSignedObject without its namespace."""
    NO_REQUEST_ID = "no_request_id"
    """An `eiResponse` without a requestID has an empty one."""
    NO_TARGET = "no_target"
    """An event or opt without an `eiTarget` is for everyone."""


EVERY_TOLERANCE = frozenset(Tolerance)


class _Message:
    def __init__(self, allowed: Set[Tolerance]) -> None:
        self.allowed = allowed
        self.used: set[Tolerance] = set()


_message: ContextVar[_Message | None] = ContextVar("openadr_message", default=None)


@contextmanager
def tolerating(allowed: Set[Tolerance]) -> Iterator[Set[Tolerance]]:
    """Read one message with these tolerances; yields those used so far."""
    message = _Message(allowed)
    token = _message.set(message)
    try:
        yield message.used
    finally:
        _message.reset(token)


def tolerate(tolerance: Tolerance, text: str) -> None:
    """Note that `text` is read by a tolerance.

    Raises:
        ProtocolError: it is not allowed in this message.
    """
    message = _message.get()
    if message is not None:
        if tolerance not in message.allowed:
            raise ProtocolError(f"{text[:40]!r} needs the tolerance {tolerance}")
        if tolerance in message.used:
            return
        message.used.add(tolerance)
    _log.info("openadr_tolerance", tolerance=tolerance.value, text=text[:80])
