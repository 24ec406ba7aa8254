"""Messages to bytes and back, with signatures, habits and faults; both ways in the journal."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from contracts.errors import ProtocolError
from contracts.openadr import codec, schema
from contracts.openadr.payloads import CreatePartyRegistration, DistributeEvent, Payload
from contracts.openadr.signature import SignatureError
from vtn_sim.openadr.faults import LOST, UNBELIEVABLE, UNREADABLE, OadrFaultSpec
from vtn_sim.openadr.habits import rewritten
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.registry import Ven
from vtn_sim.openadr.vtn import ASKING, Vtn

_log = structlog.get_logger(__name__)
_KEPT_OF_NONSENSE = 10_000
_KEPT = 1 << 20
_SIGNED_OBJECT_END = b"</oadr:oadrSignedObject>"
_REQUEST_ID = re.compile(rb"(<pyld:requestID>[^<]*)")
_SIGNATURE_VALUE = re.compile(rb"(SignatureValue>)(.)")
_GARBAGE = b"<oadr:oadrPayload><nonsense"
_STRANGE = {"wrong-ven-id": "ven_id", "wrong-request-id": "request_id", "wrong-vtn-id": "vtn_id"}
_SOMEBODY_ELSE = "nobody-you-know"
DOUBTFUL = LOST | {"delay", "content-type", *_STRANGE}
"""After these a VEN may well send again what it has sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message that was read."""

    message: Payload
    ven_id: str
    """Empty when it names nobody."""
    name: str
    signed: bool


class Wire:
    """The edge between payloads and bytes."""

    def __init__(self, vtn: Vtn, journal: Journal) -> None:
        self._vtn = vtn
        self._journal = journal
        self._last_sent: dict[str, bytes] = {}
        self._behind: dict[str, set[str]] = {}
        """venIDs seen behind a TLS certificate."""

    # --- in ------------------------------------------------------------------------------------

    def read(self, service: str, data: bytes, peer: str | None) -> Incoming:
        """A message from a VEN, whose TLS certificate has the fingerprint `peer`.

        Raises:
            SignatureError: its signature is missing or does not hold.
            ProtocolError: it cannot be read.
        """
        now = self._vtn.clock.now()
        try:
            received = self._vtn.signatures.receive(data, peer, now)
        except ProtocolError as error:
            self._journal.add("received", service, data[:_KEPT_OF_NONSENSE], now, fault=str(error))
            kind = "signature" if isinstance(error, SignatureError) else "message"
            text = f"{kind} refused at {service}: {error}"
            self._vtn.ledger.complain(now, self._only_one_behind(peer), text)
            raise
        incoming = Incoming(
            message=received.payload,
            ven_id=self._sender(received.payload) or self._only_one_behind(peer),
            name=codec.message_name(received.payload),
            signed=received.signed_by is not None,
        )
        known = {ven.ven_id for ven in self._vtn.registry.vens}
        if peer is not None and incoming.ven_id in known:
            self._behind.setdefault(peer, set()).add(incoming.ven_id)
        self._record(
            service, data, incoming, [tolerance.value for tolerance in received.tolerances]
        )
        return incoming

    def _record(self, service: str, data: bytes, incoming: Incoming, tolerances: list[str]) -> None:
        now, fault = self._vtn.clock.now(), _schema_fault(data)
        ven_id, name = incoming.ven_id, incoming.name
        self._journal.add(
            "received", service, data, now, name=name, ven_id=ven_id or None, fault=fault
        )
        if fault is not None:
            self._vtn.ledger.complain(now, ven_id, f"{name}: {fault}")
        if tolerances:
            text = f"{name} was read by tolerance: {', '.join(sorted(tolerances))}"
            self._vtn.ledger.complain(now, ven_id, text)
        response: Any = getattr(incoming.message, "response", None)
        code = None if response is None else response.code
        self._vtn.ledger.hear(now, ven_id, service, name, code)

    def _only_one_behind(self, peer: str | None) -> str:
        """The VEN that shows this certificate, if it is but one."""
        known = self._behind.get(peer or "", set())
        return next(iter(known)) if len(known) == 1 else ""

    def _sender(self, message: Payload) -> str:
        ven_id: str | None = getattr(message, "ven_id", None)
        if ven_id:
            return ven_id
        registration_id = getattr(message, "registration_id", None)
        named = message.ven_name if isinstance(message, CreatePartyRegistration) else None
        for ven in self._vtn.registry.vens:
            if (registration_id and ven.registration_id == registration_id) or (
                named and ven.name == named
            ):
                return ven.ven_id
        return ""

    # --- out -----------------------------------------------------------------------------------

    def signs_to(self, ven: Ven) -> bool:
        """Whether messages that are pushed to a VEN are signed."""
        mode = self._vtn.signatures.mode
        return mode == "required" or (mode == "accepted" and ven.signs)

    def write(
        self,
        service: str,
        message: Payload,
        ven_id: str,
        *,
        sign: bool = False,
        fault: OadrFaultSpec | None = None,
    ) -> bytes:
        """The bytes of a message, as a fault has them."""
        effect = None if fault is None else fault.effect
        if effect == "out-of-order" and isinstance(message, DistributeEvent):
            self._vtn.events.unsent(ven_id, message.request_id, again=False)
            ven = self._vtn.registry.ven(ven_id)
            message = self._vtn.distribute(ven, "", older=True)
        if effect in _STRANGE:
            message = _misnamed(message, _STRANGE[effect])
        data = self._sealed(message, sign=sign, fault=fault)
        data = _spoilt(data, fault, self._last_sent.get(ven_id, data))
        self._journal.add(
            "sent",
            service,
            data[:_KEPT],
            self._vtn.clock.now(),
            name=codec.message_name(message),
            ven_id=getattr(message, "ven_id", None) or ven_id or None,
            fault=None if effect is None else f"fault: {effect}",
        )
        if effect is None and isinstance(message, ASKING):
            self._last_sent[ven_id] = data
        return data

    def settle(
        self, message: Payload, ven_id: str, fault: OadrFaultSpec | None, *, signed: bool
    ) -> None:
        """What becomes of a message that went out with a fault: it comes again, or twice."""
        effect = None if fault is None else fault.effect
        if not ven_id or not isinstance(message, ASKING):
            return
        if effect in UNREADABLE or (signed and effect in UNBELIEVABLE):
            self._vtn.undelivered(ven_id, message)
        elif effect == "duplicate":
            self._vtn.registry.ven(ven_id).queue.appendleft(message)

    def _sealed(self, message: Payload, *, sign: bool, fault: OadrFaultSpec | None) -> bytes:
        effect = None if fault is None else fault.effect
        data = rewritten(codec.encode(message), self._vtn.habits)
        signer, now = self._vtn.signatures.signer, self._vtn.clock.now()
        if not sign or signer is None or effect == "unsigned":
            return data
        if fault is not None and effect in ("stale", "future"):
            shift = timedelta(seconds=fault.shift_s)
            now += shift if effect == "future" else -shift
        return signer.sign(data, now)


def _spoilt(data: bytes, fault: OadrFaultSpec | None, last: bytes) -> bytes:  # noqa: PLR0911 - one an effect
    match None if fault is None else fault.effect:
        case "empty":
            return b""
        case "truncated":
            return data[: len(data) // 2]
        case "garbage":
            return _GARBAGE
        case "huge" if fault is not None:
            return data + b"\n<!--" + b"x" * fault.size_bytes + b"-->"
        case "wrong-signature":
            return _SIGNATURE_VALUE.sub(
                lambda m: m[1] + (b"B" if m[2] == b"A" else b"A"), data, count=1
            )
        case "tampered":
            return _tampered(data)
        case "replayed":
            return last
        case _:
            return data


def _tampered(data: bytes) -> bytes:
    """Changed in what is signed, and valid all the same."""
    changed, count = _REQUEST_ID.subn(rb"\1-tampered", data)
    return changed if count else data.replace(_SIGNED_OBJECT_END, b" " + _SIGNED_OBJECT_END)


def _misnamed(message: Payload, field: str) -> Payload:
    """The message with somebody else's identifier, if it has such a one."""
    changed: Any = message
    if hasattr(message, field):
        changed = replace(changed, **{field: _SOMEBODY_ELSE})
    elif field == "request_id" and getattr(message, "response", None) is not None:
        response = replace(changed.response, request_id=_SOMEBODY_ELSE)
        changed = replace(changed, response=response)
    result: Payload = changed
    return result


def _schema_fault(data: bytes) -> str | None:
    try:
        schema.validate(data)
    except ProtocolError as error:
        _log.warning("vtn_schema_fault", reason=str(error))
        return str(error)
    return None
