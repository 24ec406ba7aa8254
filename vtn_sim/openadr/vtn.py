"""The VTN's answers: one payload in, one payload out. No sockets, no waiting."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CanceledReport,
    CancelPartyRegistration,
    CancelReport,
    CreatedEvent,
    CreatedPartyRegistration,
    CreatedReport,
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
from contracts.time import Clock
from vtn_sim.config import ReportWish, VtnSettings
from vtn_sim.openadr.events import EventBook
from vtn_sim.openadr.refusal import NOT_ALLOWED, REPORT_NOT_SUPPORTED, Refusal
from vtn_sim.openadr.registry import Registry, Ven
from vtn_sim.openadr.reports import ReportDesk
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
    "EiEvent": (RequestEvent, CreatedEvent),
    "EiReport": (
        RegisterReport,
        RegisteredReport,
        CreateReport,
        CreatedReport,
        UpdateReport,
        CancelReport,
        CanceledReport,
        Response,
    ),
    "OadrPoll": (Poll, Response),
}
"""Which messages each endpoint takes (profile 2.0b, simple HTTP)."""


class Vtn:
    """One VTN with everything it knows."""

    def __init__(self, settings: VtnSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.registry = Registry(settings.vens, accept_unknown=settings.accept_unknown_vens)
        self.events = EventBook(timedelta(seconds=settings.resend_after_s))
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
        message = self.reports.ask(ven_id, wish, r_ids, self._clock.now())
        ven.queue.append(message)
        return message

    def ask_reregistration(self, ven_id: str) -> None:
        """Queue the demand that a VEN registers again.

        Raises:
            Refusal: the VEN is unknown.
        """
        self.registry.ven(ven_id).queue.append(RequestReregistration(ven_id=ven_id))

    def ask_cancellation(self, ven_id: str) -> None:
        """Queue the end of a VEN's registration.

        Raises:
            Refusal: the VEN is unknown or not registered.
        """
        ven = self.registry.registered(ven_id, self._clock.now())
        ven.queue.append(
            CancelPartyRegistration(
                request_id=uuid.uuid4().hex,
                registration_id=ven.registration_id or "",
                ven_id=ven_id,
            )
        )

    # --- what VENs say -------------------------------------------------------------------------

    def handle(self, service: str, message: Payload) -> Payload:
        """The answer to a message that arrived at an endpoint."""
        try:
            _check_service(service, message)
            return self._answer(message)
        except Refusal as refusal:
            _log.info(
                "vtn_refused",
                message=type(message).__name__,
                code=refusal.code,
                reason=str(refusal),
            )
            return self._refused(message, refusal)

    def _answer(self, message: Payload) -> Payload:
        match message:
            case QueryRegistration() | CreatePartyRegistration() | CancelPartyRegistration():
                return self._registration(message)
            case CanceledPartyRegistration():
                self._drop(message.ven_id, message.registration_id)
                return Response(response=EiResponse(request_id=message.response.request_id))
            case Response():
                return Response(response=EiResponse(), ven_id=message.ven_id)
            case Poll():
                return self._poll(message)
            case RequestEvent() | CreatedEvent():
                return self._event(message)
            case _:
                return self._report(message)

    def _registration(
        self, message: QueryRegistration | CreatePartyRegistration | CancelPartyRegistration
    ) -> Payload:
        match message:
            case QueryRegistration():
                return self._registration_info(message.request_id, None)
            case CreatePartyRegistration():
                ven = self.registry.register(message, self._clock.now())
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
            vtn_id=self._settings.vtn_id,
            poll_frequency=timedelta(seconds=self._settings.poll_frequency_s),
        )

    def _drop(self, ven_id: str | None, registration_id: str | None) -> Ven:
        ven = self.registry.cancel(ven_id, registration_id)
        self.reports.forget(ven.ven_id)
        return ven

    def _poll(self, message: Poll) -> Payload:
        """The next message: events before anything else, then what is queued, then nothing."""
        now = self._clock.now()
        ven = self.registry.registered(message.ven_id, now)
        self.events.polled(ven.ven_id)
        if self.events.has_news(ven.ven_id, now):
            return self._distribute(ven, "")
        if ven.queue:
            return ven.queue.popleft()
        return Response(response=EiResponse(), ven_id=ven.ven_id)

    def _distribute(self, ven: Ven, request_id: str) -> DistributeEvent:
        return DistributeEvent(
            request_id=uuid.uuid4().hex,
            vtn_id=self._settings.vtn_id,
            response=EiResponse(request_id=request_id),
            events=self.events.distribute(ven.ven_id, self._clock.now()),
        )

    def _event(self, message: RequestEvent | CreatedEvent) -> Payload:
        now = self._clock.now()
        ven = self.registry.registered(message.ven_id, now)
        if isinstance(message, RequestEvent):
            return self._distribute(ven, message.request_id)
        refusal: Refusal | None = None
        for response in message.event_responses:
            try:
                self.events.answered(ven.ven_id, response, now)
            except Refusal as error:
                refusal = error  # the others are recorded all the same
        if refusal is not None:
            raise refusal
        return Response(
            response=EiResponse(request_id=message.response.request_id), ven_id=ven.ven_id
        )

    def _report(self, message: Payload) -> Payload:
        now = self._clock.now()
        ven = self.registry.registered(getattr(message, "ven_id", None), now)
        ven_id = ven.ven_id
        match message:
            case RegisterReport(request_id=request_id):
                ven.queue.extend(self.reports.register(ven_id, message, now))
                return RegisteredReport(response=EiResponse(request_id=request_id), ven_id=ven_id)
            case UpdateReport(request_id=request_id):
                self.reports.update(ven_id, message, now)
                return UpdatedReport(response=EiResponse(request_id=request_id), ven_id=ven_id)
            case CreatedReport(response=response, pending=pending):
                self.reports.acknowledged(ven_id, pending)
                return Response(response=EiResponse(request_id=response.request_id), ven_id=ven_id)
            case CreateReport() | CancelReport():
                raise Refusal(REPORT_NOT_SUPPORTED, "this VTN offers no reports")
            case _:
                return Response(response=EiResponse(), ven_id=ven_id)

    def _refused(self, message: Payload, refusal: Refusal) -> Payload:
        """The answer of the kind the sender expects, with the code that says why not."""
        response = EiResponse(
            code=refusal.code,
            description=str(refusal)[:300],
            request_id=getattr(message, "request_id", ""),
        )
        if isinstance(message, QueryRegistration | CreatePartyRegistration):
            return CreatedPartyRegistration(response=response, vtn_id=self._settings.vtn_id)
        return _ANSWER_TO.get(type(message), Response)(response=response)


_ANSWER_TO: dict[type, Callable[..., Payload]] = {
    CancelPartyRegistration: CanceledPartyRegistration,
    RegisterReport: RegisteredReport,
    UpdateReport: UpdatedReport,
    CreateReport: CreatedReport,
    CancelReport: CanceledReport,
}
"""Requests that have an answer of their own; to the rest an oadrResponse is the answer."""


def _check_service(service: str, message: Payload) -> None:
    if not isinstance(message, SERVICES[service]):
        name = type(message).__name__
        raise Refusal(NOT_ALLOWED, f"oadr{name} does not belong to {service}")
