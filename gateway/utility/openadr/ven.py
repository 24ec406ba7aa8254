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
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.ports import EventIntake, UsageSource, UtilityHealth, UtilityMemory
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.listener import VenListener
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
    """`gateway.ports.UtilityLink` over OpenADR 2.0b, pull or push model."""

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
        self._backoff = Backoff(min(_FIRST_WAIT_S, settings.max_backoff_s), settings.max_backoff_s)
        self._registration: Registration | None = None
        self._last_contact: datetime | None = None
        self._push = settings.listener
        self._listener = (
            VenListener(settings, settings.listener, self._security, clock, self._pushed)
            if settings.listener is not None
            else None
        )
        self._one_at_a_time = asyncio.Lock()
        self._woken = asyncio.Event()
        self._reregister = self._cancelled = False
        self._in_touch = False
        self._detail = "not connected yet"

    @property
    def _push_url(self) -> str | None:
        return None if self._push is None else str(self._push.url).rstrip("/")

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
                if self._listener is not None:
                    tasks.create_task(self._listener.run())
        finally:
            await self._transport.aclose()

    async def _converse(self) -> None:
        ask_events = True
        while True:
            try:
                known = self._registration
                registration = await self._registered()
                ask_events = ask_events or registration is not known
                await self._round(registration, ask_events=ask_events)
                ask_events = False
                self._backoff.reset()
                self._in_touch = True
                self._detail = (
                    f"registered as {registration.ven_id}, "
                    f"our fingerprint is {self._security.fingerprint}"
                )
                if self._push is None:
                    await self._pause(registration.poll_s)
                else:
                    ask_events = await self._pause(self._push.resync_s)
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
        """Send what waits; unless the VTN pushes, poll until it answers a bare oadrResponse."""
        await self._follow_up(registration)
        await self._flush()
        if ask_events:
            request = RequestEvent(request_id=_new_id(), ven_id=registration.ven_id)
            await self._handle(await self._exchange(request), registration)
            await self._flush()  # an answer is due before the next poll
        for _ in range(MAX_DRAIN if self._push is None else 0):
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

    async def _pause(self, seconds: float) -> bool:
        """Until there is something to do; True when `seconds` have passed without."""
        try:
            async with asyncio.timeout(seconds):
                await first_of(self._outbox.filled.wait(), self._woken.wait())
        except TimeoutError:
            return True
        return False

    async def _handle(self, message: Payload, registration: Registration) -> bool:
        """Act on a message of the VTN; False when it had none."""
        if isinstance(message, Response):
            await self._check_known(message.response)
            return False
        async with self._one_at_a_time:
            answer = await self._act(message, registration)
            if answer is not None:
                await self._outbox.put(answer, _key(message))
        await self._follow_up(registration)
        # Some VTNs answer every poll with all their events: only news is worth another.
        return self._answers.brought_news if isinstance(message, DistributeEvent) else True

    async def _pushed(self, message: Payload) -> Payload:
        """The answer to a message the VTN posted; what follows from it is left to `_converse`.

        Events are acknowledged at once and answered by an oadrCreatedEvent of ours.

        Raises:
            TransientError: we are not registered yet.
            ProtocolError: not a message for a VEN.
        """
        async with self._one_at_a_time:
            registration = self._registration
            if registration is None:
                raise TransientError("not registered yet")
            if getattr(message, "ven_id", None) not in (None, "", registration.ven_id):
                return _refused(message, INVALID_ID, "not our venID")
            answer = await self._act(message, registration)
            if isinstance(message, DistributeEvent):
                if answer is not None:
                    await self._outbox.put(answer, _key(message))
                answer = _accepted(registration.ven_id, message.request_id)
        self._last_contact = self._clock.now()
        self._in_touch = True
        self._woken.set()
        return answer or _accepted(registration.ven_id, _request_id(message))

    async def _act(self, message: Payload, registration: Registration) -> Payload | None:
        """Do what a message of the VTN asks; the answer, if one is wanted."""
        match message:
            case DistributeEvent():
                return await self._answers.answer(message, registration)
            case CreateReport() | CancelReport() | RegisterReport():
                return await self._act_on_report(message, registration.ven_id)
            case RequestReregistration():
                self._reregister = True
                return _accepted(registration.ven_id)
            case CancelPartyRegistration():
                return self._cancelled_by_vtn(message, registration)
            case _:
                raise ProtocolError(f"unexpected {type(message).__name__} of a VTN")

    async def _act_on_report(
        self, message: CreateReport | CancelReport | RegisterReport, ven_id: str
    ) -> Payload:
        match message:
            case CreateReport():
                return await self._reporting.create(message.requests, ven_id, message.request_id)
            case CancelReport():
                return await self._reporting.cancel(message, ven_id)
            case RegisterReport():
                response = EiResponse(request_id=message.request_id)
                return RegisteredReport(response=response, ven_id=ven_id)

    async def _follow_up(self, registration: Registration) -> None:
        """What the VTN asked for that takes more than an answer."""
        self._woken.clear()
        if self._cancelled:
            await self._flush()
            await self._forget_registration()
            raise TransientError("the VTN cancelled the registration: registering again")
        if self._reregister:
            await self._flush()
            await self._register(registration)
            self._reregister = False

    async def _handle_answer(self, answer: Payload) -> None:
        """What the VTN says to something we sent."""
        match answer:
            case UpdatedReport(cancel=CancelReport() as cancel) if self._registration is not None:
                canceled = await self._reporting.cancel(cancel, self._registration.ven_id)
                await self._outbox.put(canceled, _key(cancel))
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
        known = self._registration
        if known is None or known.push_url != self._push_url:
            await self._exchange(QueryRegistration(request_id=_new_id()))
            await self._register(known)
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
                xml_signature=self._security.signs,
                http_pull_model=self._push is None,
                transport_address=self._push_url,
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
            push_url=self._push_url,
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

    def _cancelled_by_vtn(
        self, message: CancelPartyRegistration, registration: Registration
    ) -> CanceledPartyRegistration:
        known = message.registration_id == registration.registration_id
        self._cancelled = self._cancelled or known
        return CanceledPartyRegistration(
            response=EiResponse(
                code=200 if known else INVALID_ID,
                description="OK" if known else "unknown registrationID",
                request_id=message.request_id,
            ),
            registration_id=message.registration_id,
            ven_id=registration.ven_id,
        )

    async def _forget_registration(self) -> None:
        self._registration = None
        self._cancelled = self._reregister = False
        await self._memory.unregister()
        await self._reporting.forget_all()


def _accepted(ven_id: str, request_id: str = "") -> Response:
    return Response(response=EiResponse(request_id=request_id), ven_id=ven_id)


def _refused(message: Payload, code: int, why: str) -> Response:
    response = EiResponse(code=code, description=why, request_id=_request_id(message))
    return Response(response=response)


def _request_id(message: Payload) -> str:
    request_id: str = getattr(message, "request_id", "")
    return request_id


def _key(message: Payload) -> str:
    """What the answer to a message is about, for the outbox."""
    return f"{type(message).__name__}-{_request_id(message) or _new_id()}"


def _why(answer: Payload) -> str:
    response: EiResponse | None = getattr(answer, "response", None)
    text = f"{response.code} {response.description}" if response else ""
    return f"{type(answer).__name__} {text}".strip()


def _new_id() -> str:
    return uuid.uuid4().hex
