"""What some utilities do differently, each by name, so that a VEN can be shown to bear it.

Off is as the profile has it; those that change the text were seen in payloads of others.
"""

from __future__ import annotations

import re
from typing import Literal

from contracts.config import Settings

SigningMode = Literal["off", "accepted", "required"]
"""XML signatures (profile rule 514): of no message, of those to VENs that sign, or of all, and
unsigned messages are refused."""


class OadrHabits(Settings):
    """How this utility behaves."""

    one_message_a_period: bool = False
    """At most one message each poll period, as the schema's annotations have it; else a VEN may
    poll until there is nothing left for it."""
    requests_in_registered_report: bool = False
    """The wished reports are asked for in oadrRegisteredReport instead of with the next poll."""
    forgets_unread: bool = False
    """A message whose delivery a fault has spoilt is not sent again by itself."""
    lower_case_simple: bool = False
    """The signal SIMPLE is written `simple`."""
    empty_test_event: bool = False
    """`testEvent` is empty instead of `false`."""
    zoneless_instants: bool = False
    """Instants do not end in `Z`."""
    unqualified_schema_version: bool = False
    """`schemaVersion` without its namespace."""


_REWRITING = (
    ("lower_case_simple", re.compile(rb"(<ei:signalName>)SIMPLE(?=<)"), rb"\1simple"),
    ("empty_test_event", re.compile(rb"(<ei:testEvent>)false(?=<)"), rb"\1"),
    ("zoneless_instants", re.compile(rb"(>\d{4}-\d\d-\d\dT[\d:.]+)Z(?=<)"), rb"\1"),
    ("unqualified_schema_version", re.compile(rb"\bei:schemaVersion="), rb"schemaVersion="),
)


def rewritten(data: bytes, habits: OadrHabits) -> bytes:
    """An unsigned message in this utility's hand."""
    for name, pattern, replacement in _REWRITING:
        if getattr(habits, name):
            data = pattern.sub(replacement, data)
    return data
