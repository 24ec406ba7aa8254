"""The VTN's answers: one payload in, one payload out. No sockets, no waiting."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from contracts.openadr.payloads import (
    CanceledOpt,
    CanceledPartyRegistration,
    CanceledReport,
    CancelOpt,
    CancelPartyRegistration,
    CancelReport,
    CreatedEvent,
    CreatedOpt,
    CreatedPartyRegistration,
    CreatedReport,
    CreateOpt,
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
    UpdateReport,
)
from contracts.openadr.signature import SigningKey
from contracts.time import Clock
from vtn_sim.config import ReportWish, VtnSettings
from vtn_sim.openadr.events import EventBook
from vtn_sim.openadr.faults import FaultBook
from vtn_sim.openadr.ledger import Ledger, Receipt
from vtn_sim.openadr.opts import OptBook
from vtn_sim.openadr.refusal import INVALID_ID, NOT_ALLOWED, REPORT_NOT_SUPPORTED, Refusal
from vtn_sim.openadr.registry import Registry, Ven
from vtn_sim.openadr.reports import ReportDesk
from vtn_sim.openadr.signing import Signatures
from vtn_sim.openadr.telemetry import Telemetry

_log = structlog.get_logger(__name__)

SERVICES: dict[str, tuple[type, ...]] = {
    "EiRegisterParty": (
        QueryRegistration,
        CreatePartyRegistration,
        CancelPartyRegistration,
        CanceledPartyRegistration,
        Response,
    ),
    "EiEvent": (RequestEvent, CreatedEvent, Response),
    "EiReport": (
        RegisterReport,
        RegisteredReport,
        CreateReport,
        CreatedReport,
        UpdateReport,
        UpdatedReport,
        CancelReport,
        CanceledReport,
        Response,
    ),
    "EiOpt": (CreateOpt, CancelOpt),
    "OadrPoll": (Poll, Response),
}
"""Which messages each endpoint takes (profile 2.0b, simple HTTP)."""


class Vtn:
    """One VTN with everything it knows."""

    def __init__(self, settings: VtnSettings, clock: Clock, key: SigningKey | None = None) -> None:
        """As the settings have it; `key` is what messages are signed with, if they are."""
        self.settings = settings
        self.clock = clock
        self.poll_frequency_s = settings.poll_frequency_s
        self.habits = settings.habits
        self.faults = FaultBook()
        for fault in settings.faults:
            self.faults.add(fault, clock.now())
        self.ledger = Ledger()
        self.registry = Registry(settings.vens, accept_unknown=settings.accept_unknown_vens)
        self.signatures = Signatures(settings.signatures, key, self.registry)
        self.events = EventBook(timedelta(seconds=settings.resend_after_s))
        self.opts = OptBook()
        self.telemetry = Telemetry(settings.keep_samples)
        self.reports = ReportDesk(settings.report, self.telemetry)
        self.first_registration = asyncio.Event()
        """Set once any VEN has registered."""

    # --- what the utility does -----------------------------------------------------------------

    def ask_reports(self, ven_id: str, wish: ReportWish, r_ids: Sequence[str]) -> CreateReport:
        """Queue a report request for a VEN.

        Raises:
            Refusal: the VEN is unknown or does not offer these points.
        """
        ven = self.registry.ven(ven_id)
        asks = self.reports.wishes(ven_id, wish, r_ids)
        message = self.reports.ask(ven_id, asks, self.clock.now())
        ven.queue.append(message)
        return message

    def ask_reregistration(self, ven_id: str) -> None:
        """Queue the demand that a VEN registers again.

        Raises:
            Refusal: the VEN is unknown.
        """
        self.registry.ven(ven_id).queue.append(RequestReregistration(ven_id=ven_id))

    def ask_cancellation(self, ven_id: str, registration_id: str | None = None) -> None:
        """Queue the end of a VEN's registration, or of one it has not.

        Raises:
            Refusal: the VEN is unknown or not registered.
        """
        ven = self.registry.registered(ven_id, self.clock.now())
        ven.queue.append(
            CancelPartyRegistration(
                request_id=uuid.uuid4().hex,
                registration_id=registration_id or ven.registration_id or "",
                ven_id=ven_id,
            )
        )

    # --- what VENs get -------------------------------------------------------------------------

    def next_message(self, ven: Ven) -> Payload | None:
        """Events before anything else, then what is queued, then nothing."""
        now = self.clock.now()
        if self.events.has_news(ven.ven_id, now):
            return self.distribute(ven, "")
        if not ven.queue:
            return None
        message = ven.queue.popleft()
        if isinstance(message, DistributeEvent):
            self.events.sent_again(ven.ven_id, message, now)
        return message

    def distribute(self, ven: Ven, request_id: str, *, older: bool = False) -> DistributeEvent:
        """All current events for a VEN; `older`: at the modifications before the newest."""
        own_id, now = uuid.uuid4().hex, self.clock.now()
        return DistributeEvent(
            request_id=own_id,
            vtn_id=self.settings.vtn_id,
            response=EiResponse(request_id=request_id),
            events=self.events.distribute(ven.ven_id, now, own_id, older=older),
        )

    def undelivered(self, ven_id: str, message: Payload) -> None:
        """A message could not be read by its VEN."""
        again = not self.habits.forgets_unread
        if isinstance(message, DistributeEvent):
            self.events.unsent(ven_id, message.request_id, again=again)
        elif again and isinstance(message, ASKING):
            self.registry.ven(ven_id).queue.appendleft(message)

    # --- what VENs say -------------------------------------------------------------------------

    def lost(self, message: Payload) -> None:
        """A message came that a fault of ours did not let in."""
        if isinstance(message, CreatedEvent):
            self.events.attempted(message)

    def handle(self, service: str, message: Payload, receipt: Receipt | None = None) -> Payload:
        """The answer to a message that arrived at an endpoint."""
        receipt = receipt or Receipt(at=self.clock.now())
        try:
            _check_service(service, message)
            return self._answer(message, receipt)
        except Refusal as refusal:
            name = type(message).__name__
            _log.info("vtn_refused", message=name, code=refusal.code, reason=str(refusal))
            ven_id = getattr(message, "ven_id", None) or ""
            text = f"oadr{name} refused with {refusal.code}: {refusal}"
            if not refusal.blameless:
                self.ledger.complain(receipt.at, ven_id, text)
            return self._refused(message, refusal)

    def _answer(self, message: Payload, receipt: Receipt) -> Payload:  # noqa: PLR0911 - one a kind
        match message:
            case QueryRegistration() | CreatePartyRegistration() | CancelPartyRegistration():
                return self._registration(message)
            case CanceledPartyRegistration():
                if message.response.ok:
                    self._drop(message.ven_id, message.registration_id)
                return Response(response=EiResponse(request_id=message.response.request_id))
            case Response():
                return Response(response=EiResponse(), ven_id=message.ven_id)
            case Poll():
                return self._poll(message)
            case RequestEvent() | CreatedEvent():
                return self._event(message, receipt)
            case CreateOpt() | CancelOpt():
                return self._opt(message, receipt)
            case _:
                return self._report(message, receipt)

    def _registration(
        self, message: QueryRegistration | CreatePartyRegistration | CancelPartyRegistration
    ) -> Payload:
        match message:
            case QueryRegistration():
                return self._registration_info(message.request_id, None)
            case CreatePartyRegistration():
                ven = self.registry.register(message, self.clock.now())
                if not message.registration_id:
                    self.reports.forget(ven.ven_id)
                self.first_registration.set()
                _log.info("vtn_registered", ven_id=ven.ven_id, name=ven.name)
                return self._registration_info(message.request_id, ven)
            case CancelPartyRegistration():
                ven = self._drop(message.ven_id, message.registration_id)
                return CanceledPartyRegistration(
                    response=EiResponse(request_id=message.request_id),
                    registration_id=message.registration_id,
                    ven_id=ven.ven_id,
                )

    def _registration_info(self, request_id: str, ven: Ven | None) -> CreatedPartyRegistration:
        return CreatedPartyRegistration(
            response=EiResponse(request_id=request_id),
            registration_id=ven.registration_id if ven else None,
            ven_id=ven.ven_id if ven else None,
            vtn_id=self.settings.vtn_id,
            poll_frequency=timedelta(seconds=self.poll_frequency_s),
        )

    def _drop(self, ven_id: str | None, registration_id: str | None) -> Ven:
        ven = self.registry.cancel(ven_id, registration_id)
        self.reports.forget(ven.ven_id)
        return ven

    def _poll(self, message: Poll) -> Payload:
        now = self.clock.now()
        ven = self.registry.registered(message.ven_id, now)
        self.events.polled(ven.ven_id)
        found = None if self._too_soon(ven) else self.next_message(ven)
        if found is None:
            return Response(response=EiResponse(), ven_id=ven.ven_id)
        ven.message_sent_at = now
        return found

    def _too_soon(self, ven: Ven) -> bool:
        if not self.habits.one_message_a_period or ven.message_sent_at is None:
            return False
        waited = self.clock.now() - ven.message_sent_at
        return waited < timedelta(seconds=self.poll_frequency_s * _PUNCTUAL)

    def _event(self, message: RequestEvent | CreatedEvent, receipt: Receipt) -> Payload:
        ven = self.registry.registered(message.ven_id, receipt.at)
        if isinstance(message, RequestEvent):
            return self.distribute(ven, message.request_id)
        refusal: Refusal | None = None
        for response in message.event_responses:
            try:
                self.events.answered(ven.ven_id, response, receipt)
            except Refusal as error:
                refusal = error  # the others are recorded all the same
        if refusal is not None:
            raise refusal
        return Response(
            response=EiResponse(request_id=message.response.request_id), ven_id=ven.ven_id
        )

    def _opt(self, message: CreateOpt | CancelOpt, receipt: Receipt) -> Payload:
        self.registry.registered(message.ven_id, receipt.at)
        response = EiResponse(request_id=message.request_id)
        if isinstance(message, CancelOpt):
            self.opts.cancel(message, receipt)
            return CanceledOpt(response=response, opt_id=message.opt_id)
        if message.event is not None:
            event = self.events.event_for(message.ven_id, message.event.event_id)
            if event is None:
                raise Refusal(INVALID_ID, f"no event {message.event.event_id!r}")
        self.opts.create(message, receipt)
        return CreatedOpt(response=response, opt_id=message.opt_id)

    def _report(self, message: Payload, receipt: Receipt) -> Payload:
        ven = self.registry.registered(getattr(message, "ven_id", None), receipt.at)
        ven_id = ven.ven_id
        match message:
            case RegisterReport():
                return self._register_report(ven, message)
            case UpdateReport(request_id=request_id):
                cancel = self.reports.update(ven_id, message, receipt)
                response = EiResponse(request_id=request_id)
                return UpdatedReport(response=response, cancel=cancel, ven_id=ven_id)
            case CreatedReport(response=response):
                self.reports.accepted(ven_id, message, receipt.at)
                return Response(response=EiResponse(request_id=response.request_id), ven_id=ven_id)
            case CanceledReport():
                self.reports.canceled(ven_id, message, receipt.at)
                return Response(response=EiResponse(), ven_id=ven_id)
            case CreateReport() | CancelReport():
                raise Refusal(REPORT_NOT_SUPPORTED, "this VTN offers no reports")
            case _:
                return Response(response=EiResponse(), ven_id=ven_id)

    def _register_report(self, ven: Ven, message: RegisterReport) -> RegisteredReport:
        cancel, create = self.reports.register(ven.ven_id, message, self.clock.now())
        if cancel is not None:
            ven.queue.append(cancel)
        response = EiResponse(request_id=message.request_id)
        if create is not None and self.habits.requests_in_registered_report:
            return RegisteredReport(response=response, requests=create.requests, ven_id=ven.ven_id)
        if create is not None:
            ven.queue.append(create)
        return RegisteredReport(response=response, ven_id=ven.ven_id)

    def _refused(self, message: Payload, refusal: Refusal) -> Payload:
        """The answer of the kind the sender expects, with the code that says why not."""
        response = EiResponse(
            code=refusal.code,
            description=str(refusal)[:300],
            request_id=getattr(message, "request_id", ""),
        )
        if isinstance(message, QueryRegistration | CreatePartyRegistration):
            return CreatedPartyRegistration(response=response, vtn_id=self.settings.vtn_id)
        if isinstance(message, CreateOpt):
            return CreatedOpt(response=response, opt_id=message.opt_id)
        return _ANSWER_TO.get(type(message), Response)(response=response)


_PUNCTUAL = 0.9
"""A VEN that polls a little early is punctual."""
ASKING = (
    CancelPartyRegistration,
    CancelReport,
    CreateReport,
    DistributeEvent,
    RegisterReport,
    RequestReregistration,
)
"""What a VTN says of its own accord."""
_ANSWER_TO: dict[type, Callable[..., Payload]] = {
    CancelPartyRegistration: CanceledPartyRegistration,
    RegisterReport: RegisteredReport,
    UpdateReport: UpdatedReport,
    CreateReport: CreatedReport,
    CancelReport: CanceledReport,
    CancelOpt: CanceledOpt,
}
"""Requests that have an answer of their own; to the rest an oadrResponse is the answer."""


def _check_service(service: str, message: Payload) -> None:
    if not isinstance(message, SERVICES[service]):
        name = type(message).__name__
        raise Refusal(NOT_ALLOWED, f"oadr{name} does not belong to {service}")
