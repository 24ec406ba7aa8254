"""The VEN: registers, polls, answers and reports to one VTN, and survives both ends' restarts.

Everything it must not forget (registration, answers given, report requests, unsent messages) is
stored before it acts on it; the events themselves live in the gateway's ledger.
"""

from __future__ import annotations

import asyncio
import ssl
import uuid
from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CancelReport,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    CreateReport,
    DistributeEvent,
    EiResponse,
    Payload,
    Poll,
    QueryRegistration,
    RegisteredReport,
    RegisterReport,
    RequestEvent,
    RequestReregistration,
    Response,
    UpdatedReport,
)
from contracts.time import Clock
from gateway.ports import EventIntake, UsageSource, UtilityHealth, UtilityMemory
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, VenMemory
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.reporting import VenReporting
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import VtnTransport

_log = structlog.get_logger(__name__)

NOT_REGISTERED = (452, 463)
INVALID_ID = 452
DEFAULT_POLL = timedelta(seconds=30)
MIN_POLL_S = 0.2
MAX_DRAIN = 100
"""Messages taken in one round before the pace of the poll frequency is kept again."""
_REPORT_TICK_S = 0.5
_FIRST_WAIT_S = 1.0


class OpenAdrVen:
    """`gateway.ports.UtilityLink` over OpenADR 2.0b, pull model."""

    def __init__(
        self,
        settings: OpenAdrSettings,
        tls: ssl.SSLContext,
        intake: EventIntake,
        usage: UsageSource,
        memory: UtilityMemory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._log = _log.bind(utility=settings.utility_id)
        self._clock = clock
        self._memory = VenMemory(memory, settings.utility_id)
        self._outbox = VenOutbox(self._memory)
        self._reporting = VenReporting(
            usage,
            self._memory,
            self._outbox,
            clock,
            timedelta(seconds=settings.report_min_granularity_s),
        )
        self._answers = EventAnswers(settings.utility_id, intake, self._memory, clock)
        self._security = MessageSecurity(settings, clock)
        self._transport = VtnTransport(settings, tls, self._security)
        self._backoff = Backoff(_FIRST_WAIT_S, settings.max_backoff_s)
        self._registration: Registration | None = None
        self._last_contact: datetime | None = None
        self._in_touch = False
        self._detail = "not connected yet"

    @property
    def health(self) -> UtilityHealth:
        """How the way to the VTN is right now."""
        return UtilityHealth(
            utility_id=self._settings.utility_id,
            protocol="OpenADR 2.0b",
            connected=self._registration is not None and self._in_touch,
            detail=self._detail,
            last_contact_at=self._last_contact,
        )

    async def run(self) -> None:
        """Talk to the VTN until cancelled."""
        self._log.info(
            "openadr_own_certificate",
            fingerprint=self._security.fingerprint,
            signs=self._security.signs,
        )
        await self._outbox.restore()
        await self._reporting.restore()
        await self._answers.restore()
        self._registration = await self._memory.registration()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._converse())
                tasks.create_task(self._report())
        finally:
            await self._transport.aclose()

    async def _converse(self) -> None:
        fresh_start = True
        while True:
            try:
                registration = await self._registered()
                await self._round(registration, ask_events=fresh_start)
                fresh_start = False
                self._backoff.reset()
                self._in_touch = True
                self._detail = (
                    f"registered as {registration.ven_id}, "
                    f"our fingerprint is {self._security.fingerprint}"
                )
                await self._pause(registration.poll_s)
            except (TransientError, PermanentError, ProtocolError) as error:
                wait_s = self._backoff.next_s()
                self._in_touch = False
                self._detail = str(error)
                self._log.warning(
                    "openadr_vtn_trouble", error=str(error), retry_in_s=round(wait_s, 1)
                )
                await self._clock.sleep(wait_s)

    async def _report(self) -> None:
        while True:
            if self._registration is not None:
                await self._reporting.send_due(self._registration.ven_id)
            await self._clock.sleep(_REPORT_TICK_S)

    async def _round(self, registration: Registration, *, ask_events: bool) -> None:
        """Send what waits, then poll until the VTN has nothing more (a bare oadrResponse)."""
        await self._flush()
        if ask_events:
            request = RequestEvent(request_id=_new_id(), ven_id=registration.ven_id)
            await self._handle(await self._exchange(request), registration)
            await self._flush()  # an answer is due before the next poll
        for _ in range(MAX_DRAIN):
            answer = await self._exchange(Poll(ven_id=registration.ven_id))
            more = await self._handle(answer, registration)
            await self._flush()
            if not more or self._registration is None:
                return

    async def _flush(self) -> None:
        await self._outbox.flush(self._transport, self._heard)

    async def _heard(self, answer: Payload) -> None:
        self._last_contact = self._clock.now()
        await self._handle_answer(answer)

    async def _exchange(self, payload: Payload) -> Payload:
        answer = await self._transport.exchange(payload)
        self._last_contact = self._clock.now()
        return answer

    async def _pause(self, seconds: float) -> None:
        """Until the next poll is due or something waits to be sent."""
        try:
            async with asyncio.timeout(seconds):
                await self._outbox.filled.wait()
        except TimeoutError:
            return

    async def _handle(self, message: Payload, registration: Registration) -> bool:
        """Act on a message of the VTN; False when it had none."""
        match message:
            case Response():
                await self._check_known(message.response)
                return False
            case DistributeEvent():
                answer = await self._answers.answer(message, registration)
                if answer is not None:
                    await self._outbox.put(answer, f"events-{message.request_id or _new_id()}")
                # Some VTNs answer every poll with all their events: only news is worth another.
                return self._answers.brought_news
            case CreateReport() | CancelReport() | RegisterReport():
                await self._handle_report(message, registration.ven_id)
            case RequestReregistration():
                await self._outbox.put(_accepted(registration.ven_id), "reregistration")
                await self._flush()
                await self._register(registration)
            case CancelPartyRegistration():
                await self._cancelled_by_vtn(message, registration)
            case _:
                raise ProtocolError(f"unexpected answer {type(message).__name__} to a poll")
        return True

    async def _handle_report(
        self, message: CreateReport | CancelReport | RegisterReport, ven_id: str
    ) -> None:
        match message:
            case CreateReport():
                created = await self._reporting.create(message.requests, ven_id, message.request_id)
                await self._outbox.put(created, f"created-{message.request_id}")
            case CancelReport():
                cancelled = await self._reporting.cancel(message, ven_id)
                await self._outbox.put(cancelled, f"cancelled-{message.request_id}")
            case RegisterReport():
                response = EiResponse(request_id=message.request_id)
                registered = RegisteredReport(response=response, ven_id=ven_id)
                await self._outbox.put(registered, f"registered-{message.request_id}")

    async def _handle_answer(self, answer: Payload) -> None:
        """What the VTN says to something we sent."""
        match answer:
            case UpdatedReport(cancel=CancelReport() as cancel) if self._registration is not None:
                await self._handle_report(cancel, self._registration.ven_id)
            case Response() | UpdatedReport():
                await self._check_known(answer.response)
            case _:
                self._log.debug("openadr_answer", kind=type(answer).__name__)

    async def _check_known(self, response: EiResponse) -> None:
        """A VTN that does not know us any more is answered by registering again."""
        if response.ok:
            return
        self._log.warning("openadr_error_answer", code=response.code, text=response.description)
        if response.code in NOT_REGISTERED and self._registration is not None:
            await self._forget_registration()
            raise TransientError(f"VTN answered {response.code}: registering again")

    async def _registered(self) -> Registration:
        if self._registration is None:
            await self._exchange(QueryRegistration(request_id=_new_id()))
            await self._register(None)
        if self._registration is None:
            raise TransientError("registration not accepted")
        return self._registration

    async def _register(self, old: Registration | None) -> None:
        """Create the registration, or create it again with its own ids; then offer reports."""
        answer = await self._exchange(
            CreatePartyRegistration(
                request_id=_new_id(),
                registration_id=old.registration_id if old else None,
                ven_id=old.ven_id if old else self._settings.ven_id,
                ven_name=self._settings.ven_name,
            )
        )
        if not isinstance(answer, CreatedPartyRegistration) or not answer.response.ok:
            raise TransientError(f"registration refused: {_why(answer)}")
        if not answer.ven_id or not answer.registration_id:
            raise ProtocolError("registration accepted without venID or registrationID")
        poll = self._settings.poll_s or (answer.poll_frequency or DEFAULT_POLL).total_seconds()
        self._registration = Registration(
            ven_id=answer.ven_id,
            registration_id=answer.registration_id,
            vtn_id=answer.vtn_id,
            poll_s=max(MIN_POLL_S, poll),
        )
        await self._memory.register(self._registration)
        self._log.info("openadr_registered", ven_id=answer.ven_id, poll_s=self._registration.poll_s)
        await self._offer_reports(self._registration.ven_id)

    async def _offer_reports(self, ven_id: str) -> None:
        answer = await self._exchange(await self._reporting.metadata(ven_id))
        if isinstance(answer, RegisteredReport) and answer.requests:
            created = await self._reporting.create(
                answer.requests, ven_id, answer.response.request_id
            )
            await self._outbox.put(created, f"created-{answer.response.request_id}")

    async def _cancelled_by_vtn(
        self, message: CancelPartyRegistration, registration: Registration
    ) -> None:
        known = message.registration_id == registration.registration_id
        response = EiResponse(
            code=200 if known else INVALID_ID,
            description="OK" if known else "unknown registrationID",
            request_id=message.request_id,
        )
        await self._outbox.put(
            CanceledPartyRegistration(
                response=response,
                registration_id=message.registration_id,
                ven_id=registration.ven_id,
            ),
            "cancelled-registration",
        )
        if known:
            await self._flush()
            await self._forget_registration()
            raise TransientError("the VTN cancelled the registration: registering again")

    async def _forget_registration(self) -> None:
        self._registration = None
        await self._memory.unregister()
        await self._reporting.forget_all()


def _accepted(ven_id: str) -> Response:
    return Response(response=EiResponse(request_id=""), ven_id=ven_id)


def _why(answer: Payload) -> str:
    response: EiResponse | None = getattr(answer, "response", None)
    text = f"{response.code} {response.description}" if response else ""
    return f"{type(answer).__name__} {text}".strip()


def _new_id() -> str:
    return uuid.uuid4().hex
