"""Payloads to bytes and back."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import ProtocolError
from contracts.openadr.payloads import Payload
from contracts.openadr.signature import Signer, Verifier
from contracts.openadr.tolerance import EVERY_TOLERANCE, Tolerance, tolerating
from contracts.openadr.xml import envelope, event, opt, registration, report
from contracts.openadr.xml.elements import NAMESPACES, Element, local_name
from contracts.openadr.xml.parsing import MAX_MESSAGE_BYTES, parse
from contracts.openadr.xml.vocabulary import check_names

_MODULES = (registration, event, report, opt)
_BUILDERS = {kind: build for module in _MODULES for kind, build in module.BUILDERS.items()}
_READERS = {name: read for module in _MODULES for name, read in module.READERS.items()}

_CHECK_NAMES_THEMSELVES = ("oadrDistributeEvent",)  # event by event


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that was read, and how."""

    payload: Payload
    tolerances: frozenset[Tolerance]
    """Those it needed."""
    signed_by: str | None = None
    """Fingerprint of the certificate whose signature was checked; None when none was."""


def message_name(payload: Payload) -> str:
    """The element's name: `oadrPoll`."""
    return f"oadr{type(payload).__name__}"


def encode(payload: Payload) -> bytes:
    """The payload as a whole document in UTF-8, valid against the schema.

    Raises:
        ValueError: a value that XML or the schema cannot carry.
    """
    return envelope.seal(_BUILDERS[type(payload)](payload))


def encode_signed(payload: Payload, signer: Signer, now: datetime) -> bytes:
    """As `encode`, signed as of `now` (profile rule 514). Each call makes another nonce.

    Raises:
        ValueError: as `encode`.
    """
    return signer.sign(encode(payload), now)


def decode(data: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> Payload:
    """The payload in `data`; elements of foreign namespaces are ignored, and signatures too.

    Raises:
        ProtocolError: too large, not XML, not an OpenADR 2.0b message we speak, or a field missing
            or wrong. Faults inside one event of a batch do not raise (`RejectedEvent`).
    """
    return receive(data, max_bytes=max_bytes).payload


def receive(
    data: bytes,
    *,
    allowed: Set[Tolerance] = EVERY_TOLERANCE,
    max_bytes: int = MAX_MESSAGE_BYTES,
) -> Received:
    """As `decode`, with the tolerances that the message may need and did need.

    Raises:
        ProtocolError: as `decode`, or a tolerance is needed that is not allowed.
    """
    with tolerating(allowed) as used:
        payload = _read(envelope.signed_object(parse(data, max_bytes)))
    return Received(payload=payload, tolerances=frozenset(used))


def receive_signed(
    data: bytes,
    verifier: Verifier,
    now: datetime,
    *,
    allowed: Set[Tolerance] = EVERY_TOLERANCE,
    max_bytes: int = MAX_MESSAGE_BYTES,
) -> Received:
    """As `receive`, for a message that must be signed: nothing is read but what was signed.

    Raises:
        SignatureError: unsigned, or the signature does not hold; it is a ProtocolError.
        ProtocolError: as `receive`; the message was signed all the same.
    """
    with tolerating(allowed) as used:
        signed = verifier.verify(parse(data, max_bytes), now)
        payload = _read(signed.signed_object)
    return Received(payload=payload, tolerances=frozenset(used), signed_by=signed.fingerprint)


def _read(signed_object: Element) -> Payload:
    message = envelope.unseal(signed_object)
    name = local_name(message)
    if message.tag != f"{{{NAMESPACES['oadr']}}}{name}" or name not in _READERS:
        raise ProtocolError(f"unknown message {name[:80]!r}")
    if name not in _CHECK_NAMES_THEMSELVES:
        check_names(message)
    payload: Payload = _READERS[name](message)
    return payload
