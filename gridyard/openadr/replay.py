"""A captured message explained: what it says, how good it is, what we would do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from contracts.config import load
from contracts.errors import PermanentError, ProtocolError
from contracts.openadr import codec
from contracts.openadr.payloads import DistributeEvent, Payload
from contracts.openadr.xml.envelope import MAX_MESSAGE_BYTES
from gateway.config import GatewaySettings
from gateway.utility.openadr.mapping import Addressee
from gridyard.openadr.decisions import EventAnswer, Us, answers, reply_to
from gridyard.openadr.diagnosis import printable
from gridyard.openadr.inspection import Inspection, inspect
from gridyard.openadr.session import chosen_of
from gridyard.openadr.words import describe

_HTTP = (b"HTTP/", b"POST ", b"GET ")
_NOBODY = "utility"
_UNREADABLE = "nothing: it is logged, and the VTN is asked again later"
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:){9}[0-9A-Fa-f]{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Everything to be said of a message."""

    inspection: Inspection
    reply: str
    events: tuple[EventAnswer, ...]
    ven_id: str


def read_capture(name: str, stdin: BinaryIO) -> bytes:
    """The message in a file, or on `stdin` for `-`; never more of it than one may have.

    Raises:
        PermanentError: it cannot be read.
    """
    try:
        if name == "-":
            return stdin.read(MAX_MESSAGE_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_MESSAGE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PermanentError(f"{name}: cannot be read: {error}") from error


def replay(data: bytes, us: Us, now: datetime, *, ven_id: str | None) -> Replayed:
    """Explain one message as of `now`.

    Raises:
        ProtocolError: it is not XML, or not what one may hand in.
    """
    if data.startswith(_HTTP):
        raise ProtocolError("it begins with HTTP headers: save the body alone")
    if not data.strip():
        raise ProtocolError("it is empty")
    found = inspect(data, us.trusted, now, us.tolerances)
    payload = found.payload
    if payload is None:
        return Replayed(inspection=found, reply=_UNREADABLE, events=(), ven_id=ven_id or "")
    assumed = ven_id or us.addressee.ven_id or _named(payload)
    meant = replace(us, addressee=replace(us.addressee, ven_id=assumed))
    decided = answers(payload, meant, now) if isinstance(payload, DistributeEvent) else ()
    return Replayed(
        inspection=found, reply=reply_to(payload), events=tuple(decided), ven_id=assumed
    )


def fingerprints(text: str) -> frozenset[str]:
    """The one fingerprint in `text`, however its letters are written.

    Raises:
        PermanentError: it is none.
    """
    if not _FINGERPRINT.fullmatch(text.strip()):
        raise PermanentError(
            f"--fingerprint: {printable(text, 60)!r} is not ten bytes such as AB:CD:... "
            "(`gridyard openadr fingerprint` prints it)"
        )
    return frozenset({text.strip().upper()})


def whose(config: Path | None, utility: str | None) -> Us:
    """Who would answer, as far as settings are given.

    Raises:
        ConfigError: the file cannot be used, or it is not clear which utility is meant.
    """
    if config is None:
        return Us(utility_id=utility or _NOBODY, addressee=Addressee(ven_id=""), portfolio=None)
    settings = load(config, GatewaySettings)
    mine = chosen_of(settings, config, utility)
    names = {site.site_id for site in settings.sites}.union(*(s.groups for s in settings.sites))
    return Us(
        utility_id=mine.utility_id,
        addressee=Addressee(
            ven_id=mine.ven_id or "", names=names, market_contexts=mine.market_contexts
        ),
        portfolio=settings.portfolio(),
        tolerances=mine.tolerances,
        trusted=frozenset(mine.vtn_fingerprint) or None,
    )


def as_lines(found: Replayed) -> Iterator[str]:
    """For people."""
    look = found.inspection
    if look.payload is not None:
        yield from describe(look.payload)
    else:
        yield f"unreadable  {printable(look.fault or '', 400)}"
    fault = look.schema_fault
    yield f"schema      {'valid' if fault is None else printable(fault, 400)}"
    yield f"tolerances  {', '.join(look.tolerances) or 'none needed'}"
    yield f"signature   {printable(look.signature.detail, 400)}"
    yield f"answer      {found.reply}"
    if found.events:
        yield f"  as the VEN {printable(found.ven_id) or 'without an id'}:"
    for one in found.events:
        sent = "" if one.sent else " (no answer is wanted, so none is sent)"
        what = f"{one.event_id}, modification {one.modification}: {one.opt}, {one.code}"
        yield printable(f"  {what}: {one.why}{sent}", 500)


def as_document(found: Replayed) -> dict[str, Any]:
    """For programs."""
    look, mark = found.inspection, found.inspection.signature
    return {
        **_payload(look.payload),
        "fault": look.fault,
        "schema_valid": look.schema_fault is None,
        "schema_fault": look.schema_fault,
        "tolerances": list(look.tolerances),
        "signature": {
            "signed": mark.holds is not None,
            "holds": mark.holds,
            "signer": mark.signer,
            "trusted": mark.trusted,
            "signed_at": mark.at.isoformat() if mark.at else None,
            "detail": mark.detail,
        },
        "answer": found.reply,
        "events": [one.as_dict() for one in found.events],
    }


def _payload(payload: Payload | None) -> dict[str, Any]:
    if payload is None:
        return {"message": None, "payload": None}
    content = TypeAdapter(type(payload)).dump_python(payload, mode="json")
    return {"message": codec.message_name(payload), "payload": content}


def _named(payload: Payload) -> str:
    """The venID the message is for, when it names one: then it is taken to be ours."""
    if isinstance(payload, DistributeEvent):
        named = (n for e in payload.events for n in (*e.target.ven_ids, *e.target.party_ids))
        return next(named, "")
    return getattr(payload, "ven_id", None) or ""
