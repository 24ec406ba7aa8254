"""Payloads to bytes and back."""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.openadr.payloads import Payload
from contracts.openadr.xml import envelope, event, registration, report
from contracts.openadr.xml.elements import NAMESPACES, local_name
from contracts.openadr.xml.envelope import MAX_MESSAGE_BYTES

_BUILDERS = {**registration.BUILDERS, **event.BUILDERS, **report.BUILDERS}
_READERS = {**registration.READERS, **event.READERS, **report.READERS}


def message_name(payload: Payload) -> str:
    """The element's name: `oadrPoll`."""
    return f"oadr{type(payload).__name__}"


def encode(payload: Payload) -> bytes:
    """The payload as a whole document in UTF-8, valid against the schema.

    Raises:
        ValueError: a value that XML or the schema cannot carry.
    """
    return envelope.seal(_BUILDERS[type(payload)](payload))


def decode(data: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> Payload:
    """The payload in `data`; elements we do not know are ignored.

    Raises:
        ProtocolError: too large, not XML, not an OpenADR 2.0b message we speak, or a field missing
            or wrong. Faults inside one event of a batch do not raise (`RejectedEvent`).
    """
    message = envelope.unseal(data, max_bytes)
    name = local_name(message)
    if message.tag != f"{{{NAMESPACES['oadr']}}}{name}" or name not in _READERS:
        raise ProtocolError(f"unknown message {name[:80]!r}")
    payload: Payload = _READERS[name](message)
    return payload
