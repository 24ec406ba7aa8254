"""A captured message looked at from every side, without believing or doing anything."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import ProtocolError
from contracts.openadr import codec, schema
from contracts.openadr.payloads import Payload
from contracts.openadr.signature import ReplayCache, SignatureError, SignatureFault, Verifier
from contracts.openadr.tolerance import EVERY_TOLERANCE, Tolerance
from contracts.openadr.xml.envelope import parse

LIVE_AGE = timedelta(minutes=5)
"""A signed message older than this is refused when it arrives, unless settings say otherwise."""
_ANY_AGE = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """On a message's signature."""

    holds: bool | None
    """None: it is not signed."""
    detail: str
    signer: str | None = None
    """Fingerprint of the certificate, when the signature holds."""
    trusted: bool = False
    """Whether that fingerprint is one that was named."""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Everything to be said of a message before asking what it means to us."""

    payload: Payload | None
    """None: it cannot be read, and `fault` says why."""
    fault: str | None
    tolerances: tuple[str, ...]
    """Those it needs to be read."""
    schema_fault: str | None
    """None: valid against the official schema."""
    signature: Verdict


class _Anyone:
    """Whoever signed: says whether a signature holds, not whether to believe it."""

    def __contains__(self, _fingerprint: object) -> bool:
        return True


def inspect(
    data: bytes,
    trusted: Container[str] | None,
    now: datetime,
    allowed: frozenset[Tolerance] = EVERY_TOLERANCE,
) -> Inspection:
    """Decode a message and judge its form; `trusted` are fingerprints, None when none are known.

    Raises:
        ProtocolError: it is not XML, or larger or deeper than a message may be.
        PermanentError: the official schema is not installed.
    """
    payload, fault, tolerances = _read(data, allowed)
    return Inspection(
        payload=payload,
        fault=fault,
        tolerances=tolerances,
        schema_fault=_schema_fault(data),
        signature=signature_verdict(data, trusted, now),
    )


def _read(
    data: bytes, allowed: frozenset[Tolerance]
) -> tuple[Payload | None, str | None, tuple[str, ...]]:
    parse(data)
    try:
        received = codec.receive(data, allowed=allowed)
    except ProtocolError as error:
        return None, str(error), ()
    return received.payload, None, tuple(sorted(received.tolerances))


def signature_verdict(data: bytes, trusted: Container[str] | None, now: datetime) -> Verdict:
    """Whether a signature holds and whose it is, however old; never raises for its faults.

    Raises:
        ProtocolError: `data` is not XML.
    """
    root = parse(data)
    cache = ReplayCache(keep=3 * _ANY_AGE)
    whom: Container[str] = _Anyone() if trusted is None else trusted
    verifier = Verifier(whom, cache, max_age=_ANY_AGE, max_ahead=_ANY_AGE)
    try:
        signed = verifier.verify(root, now)
    except SignatureError as error:
        if error.fault is SignatureFault.UNSIGNED:
            return Verdict(holds=None, detail="unsigned")
        return Verdict(holds=False, detail=f"{error} ({error.fault.value})")
    known = trusted is not None
    whose = "whom you trust" if known else "and nobody says whose that is"
    detail = f"holds, by {signed.fingerprint}, {whose}; signed {_when(signed.at, now)}"
    return Verdict(
        holds=True, detail=detail, signer=signed.fingerprint, trusted=known, at=signed.at
    )


def _schema_fault(data: bytes) -> str | None:
    try:
        schema.validate(data)
    except ProtocolError as error:
        return str(error)
    return None


def _when(at: datetime, now: datetime) -> str:
    text = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    if abs(now - at) <= LIVE_AGE:
        return text
    return f"{text}, so refused as {'stale' if at < now else 'from the future'} if it came now"
