"""Which VENs are known, registered, and wait for a message."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.openadr.payloads import CreatePartyRegistration, Payload
from vtn_sim.config import KnownVen
from vtn_sim.openadr.refusal import INVALID_ID, NOT_ALLOWED, NOT_REGISTERED, Refusal


@dataclass(slots=True, kw_only=True)
class Ven:
    """One VEN and the messages it will get, one for each poll."""

    ven_id: str
    name: str
    registration_id: str | None = None
    registered_at: datetime | None = None
    last_seen_at: datetime | None = None
    fingerprint: str | None = None
    """Of the certificate it signs with, if the settings tell."""
    push_url: str | None = None
    """Where its messages are pushed to; none: it polls."""
    signs: bool = False
    """It said so when it registered (oadrXmlSignature)."""
    report_only: bool = False
    message_sent_at: datetime | None = None
    """When it got the last message that was more than an oadrResponse."""
    queue: deque[Payload] = field(default_factory=deque)


class Registry:
    """The VENs of one VTN."""

    def __init__(self, known: Sequence[KnownVen], *, accept_unknown: bool) -> None:
        self._vens = {
            ven.ven_id: Ven(ven_id=ven.ven_id, name=ven.name, fingerprint=ven.fingerprint)
            for ven in known
        }
        self._accept_unknown = accept_unknown

    @property
    def vens(self) -> Sequence[Ven]:
        """All of them, registered or not."""
        return tuple(self._vens.values())

    def ven(self, ven_id: str | None) -> Ven:
        """A known VEN.

        Raises:
            Refusal: 452, nobody has this id.
        """
        if ven_id is None or ven_id not in self._vens:
            raise Refusal(INVALID_ID, f"unknown venID {ven_id!r}")
        return self._vens[ven_id]

    def registered(self, ven_id: str | None, now: datetime) -> Ven:
        """A registered VEN, from which a message has just come.

        Raises:
            Refusal: 452 unknown, 463 not registered.
        """
        ven = self.ven(ven_id)
        if ven.registration_id is None:
            raise Refusal(NOT_REGISTERED, f"venID {ven_id!r} is not registered")
        ven.last_seen_at = now
        return ven

    def register(self, request: CreatePartyRegistration, now: datetime) -> Ven:
        """Register, or register again: the registrationID is kept if the VEN still has it.

        Raises:
            Refusal: 452 for an unknown venID or registrationID, 463 for an unknown name, 451 for
                another profile or transport than simpleHttp of 2.0b, or for push without an
                https address.
        """
        if (request.profile, request.transport) != ("2.0b", "simpleHttp"):
            raise Refusal(NOT_ALLOWED, "only 2.0b over simpleHttp is spoken")
        push_url = _push_url(request)
        ven = self.ven(request.ven_id) if request.ven_id else self._named(request.ven_name or "")
        if request.registration_id and request.registration_id != ven.registration_id:
            raise Refusal(INVALID_ID, f"unknown registrationID {request.registration_id!r}")
        if not request.registration_id:
            ven.registration_id = uuid.uuid4().hex
            ven.queue.clear()
        ven.push_url, ven.signs = push_url, request.xml_signature
        ven.report_only = request.report_only
        ven.registered_at = ven.last_seen_at = now
        ven.message_sent_at = None
        return ven

    def cancel(self, ven_id: str | None, registration_id: str | None) -> Ven:
        """End a registration.

        Raises:
            Refusal: 452, it is not this VEN's registration.
        """
        for ven in self._vens.values() if registration_id else ():
            if ven.registration_id == registration_id and ven_id in (None, "", ven.ven_id):
                ven.registration_id = ven.registered_at = None
                ven.queue.clear()
                return ven
        raise Refusal(INVALID_ID, f"unknown registrationID {registration_id!r}")

    def forget(self) -> None:
        """Lose every registration, as a utility that restarts without its data."""
        for ven in self._vens.values():
            ven.registration_id = ven.registered_at = ven.push_url = None
            ven.queue.clear()

    def _named(self, name: str) -> Ven:
        for ven in self._vens.values():
            if ven.name == name:
                return ven
        if not self._accept_unknown:
            raise Refusal(NOT_REGISTERED, f"no VEN called {name!r} is enrolled")
        ven = Ven(ven_id=f"ven-{uuid.uuid4().hex[:12]}", name=name)
        self._vens[ven.ven_id] = ven
        return ven


def _push_url(request: CreatePartyRegistration) -> str | None:
    if request.http_pull_model is not False:
        return None
    address = (request.transport_address or "").strip()
    if not address.startswith("https://"):
        raise Refusal(NOT_ALLOWED, "push needs an https oadrTransportAddress")
    return address.rstrip("/") if address.count("/") > _OF_A_HOST else address + PATH


_OF_A_HOST = 2
PATH = "/OpenADR2/Simple/2.0b"
"""Where services are found, at a VTN and at a VEN that is pushed to."""
