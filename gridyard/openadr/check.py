"""Is the way to a utility's VTN open, and does it take us? Step by step, each with what to do."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

from contracts.errors import LinkDownError, ProtocolError
from contracts.identity import client_context
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    EiResponse,
    Payload,
    Poll,
    QueryRegistration,
)
from contracts.openadr.signature import SignatureError, SignatureFault
from contracts.time import Clock
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import READABLE, media_type
from gridyard.findings import Finding
from gridyard.openadr import diagnosis, tls
from gridyard.openadr.diagnosis import printable
from gridyard.openadr.exchange import Answer, Exchange
from gridyard.openadr.inspection import signature_verdict

_CLOCK_ALARM = timedelta(seconds=30)
_OK = 200


async def check(
    settings: OpenAdrSettings, clock: Clock, *, register: bool = False
) -> AsyncIterator[Finding]:
    """Every step in order; ends with the first that makes the rest pointless.

    Raises:
        ConfigError: our certificates cannot be used.
    """
    yield tls.our_certificate(settings, clock.now())
    reached = False
    async for finding in tls.reach(settings, clock.now()):
        reached = finding.ok
        yield finding
    if not reached:
        return
    security = MessageSecurity(settings, clock)
    context = client_context(settings.ca, settings.cert, settings.key)
    async with Exchange(settings, context, clock) as exchange:
        talk = _Talk(settings, exchange, security, clock)
        async for finding in talk.query():
            yield finding
        if register and talk.vtn_id is not None:
            async for finding in talk.registration():
                yield finding


class _Fault(Exception):  # noqa: N818 - it is a finding, and ends the step
    """A step that failed."""

    def __init__(self, step: str, detail: str, hint: str = "") -> None:
        self.finding = Finding(step=step, ok=False, detail=detail, hint=hint)


class _Talk:
    """The messages of a check."""

    def __init__(
        self, settings: OpenAdrSettings, exchange: Exchange, security: MessageSecurity, clock: Clock
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._security = security
        self._clock = clock
        self._notes: list[Finding] = []
        self.vtn_id: str | None = None
        """Set once the VTN has answered a query."""

    async def query(self) -> AsyncIterator[Finding]:
        """Which profiles and transports it speaks, its signature and its clock."""
        step = "QueryRegistration"
        try:
            found = await self._created(step, QueryRegistration(request_id=_new_id()))
        except _Fault as fault:
            yield fault.finding
        else:
            self.vtn_id = found.vtn_id
            yield _capabilities(step, found)
        for note in self._notes:
            yield note

    async def registration(self) -> AsyncIterator[Finding]:
        """Register, poll once unless the VTN pushes, and cancel again."""
        try:
            created = await self._created("registration", self._wish())
        except _Fault as fault:
            yield fault.finding
            return
        yield _registered("registration", created)
        pulls = self._settings.listener is None
        for step in (self._poll, self._cancel) if pulls else (self._cancel,):
            try:
                yield await step(created)
            except _Fault as fault:
                yield fault.finding

    def _wish(self) -> CreatePartyRegistration:
        listener = self._settings.listener
        return CreatePartyRegistration(
            request_id=_new_id(),
            ven_id=self._settings.ven_id,
            ven_name=self._settings.ven_name,
            xml_signature=self._security.signs,
            http_pull_model=listener is None,
            transport_address=None if listener is None else str(listener.url).rstrip("/"),
        )

    async def _poll(self, created: CreatedPartyRegistration) -> Finding:
        step = "poll"
        answer = await self._ask(step, Poll(ven_id=created.ven_id or ""))
        _check_code(step, getattr(answer, "response", None))
        return Finding(step=step, ok=True, detail=f"answered by {codec.message_name(answer)}")

    async def _cancel(self, created: CreatedPartyRegistration) -> Finding:
        step = "cancel registration"
        message = CancelPartyRegistration(
            request_id=_new_id(),
            registration_id=created.registration_id or "",
            ven_id=created.ven_id,
        )
        answer = await self._ask(step, message)
        _check_code(step, getattr(answer, "response", None))
        if not isinstance(answer, CanceledPartyRegistration):
            raise _Fault(step, f"answered by {codec.message_name(answer)}", "tell the utility")
        return Finding(step=step, ok=True, detail="done: nothing is left at the VTN")

    async def _created(
        self, step: str, message: QueryRegistration | CreatePartyRegistration
    ) -> CreatedPartyRegistration:
        answer = await self._ask(step, message)
        _check_code(step, getattr(answer, "response", None))
        if not isinstance(answer, CreatedPartyRegistration):
            detail = f"answered by {codec.message_name(answer)}"
            raise _Fault(step, detail, "oadrCreatedPartyRegistration is the answer of the profile")
        return answer

    async def _ask(self, step: str, message: Payload) -> Payload:
        """Its answer, when it can be read and believed."""
        document = self._security.seal(codec.encode(message))
        try:
            answer = await self._exchange.post(message, document)
        except LinkDownError as error:
            raise _Fault(step, *diagnosis.of_link(error)) from error
        except ProtocolError as error:
            raise _Fault(step, str(error), "is this an OpenADR 2.0b server?") from error
        first = not self._notes
        if first:
            self._notes.append(_clock_finding(answer))
        _check_http(step, answer)
        payload = self._opened(step, answer.body)
        if first:
            self._note_signature(answer.body)
        return payload

    def _opened(self, step: str, body: bytes) -> Payload:
        try:
            return self._security.open(body)
        except SignatureError as error:
            raise _Fault(step, printable(str(error), 300), _signature_hint(error)) from error
        except ProtocolError as error:
            begins = printable(body[:80].decode("utf-8", "replace"))
            raise _Fault(
                step,
                f"{printable(str(error))}; the answer begins {begins!r}",
                "if it is not OpenADR, look at `url`; else keep it and look with "
                "`gridyard openadr replay`",
            ) from error

    def _note_signature(self, body: bytes) -> None:
        pinned = self._settings.vtn_fingerprint
        verdict = signature_verdict(body, pinned or None, self._clock.now())
        hint = ""
        if verdict.signer and not pinned:
            hint = "nobody checks it: set `vtn_fingerprint`, told by the utility by another way"
        self._notes.append(
            Finding(step="signature", ok=True, detail=f"of the answer: {verdict.detail}", hint=hint)
        )


def _check_http(step: str, answer: Answer) -> None:
    if answer.status != _OK:
        begins = printable(answer.body[:80].decode("utf-8", "replace"))
        detail = f"HTTP {answer.status}" + (f", {begins!r}" if begins else "")
        raise _Fault(step, detail, diagnosis.of_status(answer.status))
    if not answer.body.strip():
        hint = "some VTNs say so when they do not know our certificate: is it enrolled?"
        raise _Fault(step, "HTTP 200 with an empty body", hint)
    if media_type(answer.content_type) not in READABLE:
        begins = printable(answer.body[:80].decode("utf-8", "replace"))
        detail = f"the answer is {printable(answer.content_type, 60)!r} and begins {begins!r}"
        raise _Fault(step, detail, "OpenADR comes as application/xml: look at `url`")


def _check_code(step: str, response: EiResponse | None) -> None:
    if response is not None and not response.ok:
        text, hint = diagnosis.of_code(response)
        raise _Fault(step, f"refused with {text}", hint)


def _capabilities(step: str, found: CreatedPartyRegistration) -> Finding:
    profiles = ", ".join(f"{p.name} over {' and '.join(p.transports)}" for p in found.profiles)
    poll = found.poll_frequency
    pace = f", poll every {poll.total_seconds():g} s" if poll else ""
    text = printable(f"vtnID {found.vtn_id}, {profiles or 'no profile'}{pace}", 300)
    good = any(p.name == "2.0b" and "simpleHttp" in p.transports for p in found.profiles)
    hint = "" if good else "we speak 2.0b over simpleHttp: ask the utility to enable it"
    return Finding(step=step, ok=good, detail=text, hint=hint)


def _registered(step: str, created: CreatedPartyRegistration) -> Finding:
    if not created.ven_id or not created.registration_id:
        hint = "both are needed: ask the utility which venID is ours"
        detail = "accepted without venID or registrationID"
        return Finding(step=step, ok=False, detail=detail, hint=hint)
    text = f"venID {created.ven_id}, registrationID {created.registration_id}"
    return Finding(step=step, ok=True, detail=printable(text))


def _clock_finding(answer: Answer) -> Finding:
    if answer.ahead is None:
        return Finding(step="clock", ok=True, detail="the answer has no Date header to compare")
    good = abs(answer.ahead) <= _CLOCK_ALARM
    detail = f"the server is {answer.ahead.total_seconds():+.0f} s from us (by its Date header)"
    hint = "" if good else "events and signatures go by the clock: is ours synchronised (NTP)?"
    return Finding(step="clock", ok=good, detail=detail, hint=hint)


_SIGNATURE_HINTS = {
    SignatureFault.UNSIGNED: "the utility must sign, or set `accept_unsigned: true`",
    SignatureFault.UNTRUSTED: "compare `vtn_fingerprint` with what the utility told you",
    SignatureFault.STALE: "compare the clocks of both sides",
    SignatureFault.FUTURE: "compare the clocks of both sides",
    SignatureFault.EXPIRED: "the utility must renew the certificate it signs with",
    SignatureFault.TAMPERED: "something between us changes messages: a proxy?",
}


def _signature_hint(error: SignatureError) -> str:
    return _SIGNATURE_HINTS.get(error.fault, "send the answer to the utility")


def _new_id() -> str:
    return uuid.uuid4().hex
