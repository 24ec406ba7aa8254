"""The VEN: registers, polls, answers and reports to one VTN, and survives both ends' restarts.

Everything it must not forget (registration, answers given, report requests, unsent messages) is
stored before it acts on it; the events themselves live in the gateway's ledger.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.openadr.payloads import (
    CancelReport,
    DistributeEvent,
    EiResponse,
    Payload,
    Poll,
    RegisteredReport,
    ReportRequest,
    RequestEvent,
    Response,
    UpdatedReport,
)
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.domain.completeness import Duty
from gateway.ports import EventIntake, Participation, ReportSource, UtilityHealth, UtilityMemory
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.listener import VenListener
from gateway.utility.openadr.memory import Registration, Stage, VenMemory
from gateway.utility.openadr.opts import VenOpts
from gateway.utility.openadr.orders import VtnOrders
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.registering import (
    NOT_REGISTERED,
    UNREGISTERED,
    VenRegistrar,
)
from gateway.utility.openadr.replies import accepted, key, new_id, request_id
from gateway.utility.openadr.reporting import VenReporting
from gateway.utility.openadr.reports.making import ReportLimits
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import VtnTransport

_log = structlog.get_logger(__name__)

MAX_DRAIN = 100
"""Messages taken in one round before the pace of the poll frequency is kept again."""
_REPORT_TICK_S = 0.5
_WATCH_TICK_S = 1.0
_FIRST_WAIT_S = 1.0


class OpenAdrVen:
    """`gateway.ports.UtilityLink` over OpenADR 2.0b, pull or push model."""

    def __init__(
        self,
        settings: OpenAdrSettings,
        tls: ssl.SSLContext,
        intake: EventIntake,
        reports: ReportSource,
        memory: UtilityMemory,
        clock: Clock,
        *,
        participation: Participation | None = None,
    ) -> None:
        self._settings = settings
        self._log = _log.bind(utility=settings.utility_id)
        self._clock = clock
        self._memory = VenMemory(memory, settings.utility_id)
        self._outbox = VenOutbox(self._memory)
        self._reporting = VenReporting(
            reports,
            self._memory,
            self._outbox,
            clock,
            ReportLimits(
                min_granularity=timedelta(seconds=settings.report_min_granularity_s),
                wait=timedelta(seconds=settings.report_wait_s),
            ),
            settings.utility_id,
        )
        self._answers = EventAnswers(
            settings.utility_id,
            intake,
            self._memory,
            clock,
            seed=settings.ven_name,
            participation=participation,
            market_contexts=settings.market_contexts,
        )
        self._opts: VenOpts | None = None
        if participation is not None:
            shared = self._answers, participation, self._memory, self._outbox, clock
            self._opts = VenOpts(settings.utility_id, *shared, settings.unavailable)
        self._security = MessageSecurity(settings, clock)
        self._transport = VtnTransport(settings, tls, self._security)
        self._backoff = Backoff(min(_FIRST_WAIT_S, settings.max_backoff_s), settings.max_backoff_s)
        self._registrar = VenRegistrar(
            settings, self._memory, self._exchange, signs=self._security.signs
        )
        self._orders = VtnOrders(self._answers, self._reporting, self._registrar)
        self._last_contact: datetime | None = None
        self._push = settings.listener
        self._listener = (
            VenListener(settings, settings.listener, self._security, clock, self._pushed)
            if settings.listener is not None
            else None
        )
        self._one_at_a_time = asyncio.Lock()
        self._woken = asyncio.Event()
        self._pushes = 0
        self._ask_events = True
        self._in_touch = False
        self._detail = "not connected yet"

    @property
    def _registration(self) -> Registration | None:
        return self._registrar.current

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

    @property
    def duties(self) -> Sequence[Duty]:
        """What the VTN is to have of our telemetry."""
        return self._reporting.duties

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
        if self._opts is not None:
            await self._opts.restore()
        await self._registrar.restore()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._converse())
                tasks.create_task(self._report())
                tasks.create_task(self._watch())
                if self._listener is not None:
                    tasks.create_task(self._listener.run())
        finally:
            await self._transport.aclose()

    async def _converse(self) -> None:
        if not self._settings.registered:
            await self._stay_away()
        while True:
            try:
                registration = await self._registrar.ensure()
                await self._round(registration)
                self._backoff.reset()
                self._in_touch = True
                self._detail = (
                    f"registered as {registration.ven_id}, "
                    f"our fingerprint is {self._security.fingerprint}"
                )
                if self._push is None:
                    await self._pause(registration.poll_s)
                elif await self._pause(self._push.resync_s):
                    self._ask_events = True
            except (TransientError, PermanentError, ProtocolError) as error:
                await self._trouble(error)

    async def _stay_away(self) -> None:
        """End the registration, for as long as the settings say so."""
        while self._registration is not None:
            try:
                await self._registrar.cancel()
                await self._forget_registration()
            except (TransientError, PermanentError, ProtocolError) as error:
                await self._trouble(error)
        self._detail = "not registered, by our settings"
        await asyncio.Event().wait()

    async def _trouble(self, error: Exception) -> None:
        """Wait; a message may have been lost on its way, so all events are asked for again."""
        wait_s = self._backoff.next_s()
        self._in_touch = False
        self._ask_events = True
        self._detail = str(error)
        self._log.warning("openadr_vtn_trouble", error=str(error), retry_in_s=round(wait_s, 1))
        await self._clock.sleep(wait_s)

    async def _report(self) -> None:
        while True:
            try:
                if self._registration is not None:
                    await self._reporting.send_due(self._registration.ven_id)
            except TransientError as error:
                self._log.warning("openadr_reports_postponed", why=str(error))
            await self._clock.sleep(_REPORT_TICK_S)

    async def _watch(self) -> None:
        """Randomised ends that have come, and opts to be told."""
        while True:
            try:
                async with self._one_at_a_time:
                    await self._answers.cancel_due()
                    if self._opts is not None and self._registration is not None:
                        await self._opts.reconcile(self._registration.ven_id)
            except (TransientError, PermanentError) as error:
                self._log.warning("openadr_watch_postponed", why=str(error))
            await self._clock.sleep(_WATCH_TICK_S)

    async def _round(self, registration: Registration) -> None:
        """Send what waits; unless the VTN pushes, poll until it answers a bare oadrResponse."""
        await self._follow_up()
        await self._flush()
        if self._ask_events:
            await self._request_events(registration)
            await self._flush()  # an answer is due before the next poll
        for _ in range(self._polls_a_round):
            answer = await self._exchange(Poll(ven_id=registration.ven_id))
            more = await self._handle(answer, registration)
            await self._flush()
            if not more or self._registration is None:
                return

    async def _request_events(self, registration: Registration) -> None:
        """Take all events there are; an answer that a push has overtaken may lack the newest."""
        self._ask_events = False
        pushed = self._pushes
        request = RequestEvent(request_id=new_id(), ven_id=registration.ven_id)
        answer = await self._exchange(request)
        if self._pushes == pushed:
            await self._handle(answer, registration)
        else:
            self._ask_events = True
            self._woken.set()

    @property
    def _polls_a_round(self) -> int:
        if self._push is not None:
            return 0
        return MAX_DRAIN if self._settings.drain else 1

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
            await self._check_known(message.response, NOT_REGISTERED)
            return False
        async with self._one_at_a_time:
            answer = await self._orders.obey(message, registration)
            if answer is not None:
                await self._outbox.put(answer, key(message))
        if isinstance(message, DistributeEvent) and self._answers.unanswered:
            await self._flush()
            raise TransientError("not every event could be stored: asking again")
        await self._follow_up()
        # Some VTNs answer every poll with all their events: only news is worth another.
        return self._answers.brought_news if isinstance(message, DistributeEvent) else True

    async def _pushed(self, message: Payload) -> Payload:
        """The answer to a message the VTN posted; what follows from it is left to `_converse`.

        Events are acknowledged at once and answered by an oadrCreatedEvent of ours.

        Raises:
            TransientError: we are not registered yet.
            ProtocolError: not a message for a VEN.
        """
        self._pushes += 1
        async with self._one_at_a_time:
            registration = self._registration
            if registration is None:
                raise TransientError("not registered yet")
            answer = await self._orders.obey(message, registration)
            if isinstance(message, DistributeEvent):
                if answer is not None:
                    await self._outbox.put(answer, key(message))
                answer = accepted(registration.ven_id, message.request_id)
                self._ask_events = self._ask_events or self._answers.unanswered
        self._last_contact = self._clock.now()
        self._in_touch = True
        self._woken.set()
        return answer or accepted(registration.ven_id, request_id(message))

    async def _follow_up(self) -> None:
        """What a registration's stage asks for: more than an answer."""
        self._woken.clear()
        stage = None if self._registration is None else self._registration.stage
        if stage is Stage.CANCELLED:
            await self._flush()
            await self._forget_registration()
            raise TransientError("the VTN cancelled the registration: registering again")
        if stage is Stage.REGISTER_AGAIN:
            await self._flush()
            await self._registrar.register()
        if self._registration is not None and self._registration.stage is Stage.OFFER_REPORTS:
            await self._reporting.offer(self._registration.ven_id)
            await self._registrar.move_to(Stage.COMPLETE)

    async def _handle_answer(self, answer: Payload) -> None:
        """What the VTN says to something we sent."""
        match answer:
            case UpdatedReport(cancel=CancelReport() as cancel) if self._registration is not None:
                canceled = await self._reporting.cancel(cancel, self._registration.ven_id)
                await self._outbox.put(canceled, key(cancel))
            case RegisteredReport(requests=wanted, response=response) if wanted and response.ok:
                await self._begin_reports(wanted, response.request_id)
            case Response() | UpdatedReport() | RegisteredReport():
                await self._check_known(answer.response, (UNREGISTERED,))
            case _:
                self._log.debug("openadr_answer", kind=type(answer).__name__)

    async def _check_known(self, response: EiResponse, unknown: Collection[int]) -> None:
        """A VTN that does not know us any more is answered by registering again.

        452 says so only in answer to a poll: else it may be another id that is invalid.
        """
        if response.ok:
            return
        self._log.warning("openadr_error_answer", code=response.code, text=response.description)
        if response.code in unknown and self._registration is not None:
            await self._forget_registration()
            raise TransientError(f"VTN answered {response.code}: registering again")

    async def _begin_reports(self, wanted: Sequence[ReportRequest], request_id: str) -> None:
        """The VTN has taken the metadata and asks for some of it at once."""
        registration = self._registration
        if registration is not None:
            created = await self._reporting.create(wanted, registration.ven_id, request_id)
            await self._outbox.put(created, f"created-{request_id or new_id()}")

    async def _forget_registration(self) -> None:
        await self._reporting.forget_all()
        if self._opts is not None:
            async with self._one_at_a_time:
                await self._opts.forget_all()
        await self._registrar.forget()  # last: a kill before it does all of this again
