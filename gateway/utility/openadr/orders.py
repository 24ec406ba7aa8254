"""What a VTN's messages ask for, done; and the answer, where one is wanted."""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.openadr.payloads import (
    CancelPartyRegistration,
    CancelReport,
    CreateReport,
    DistributeEvent,
    EiResponse,
    Payload,
    RegisteredReport,
    RegisterReport,
    RequestReregistration,
)
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, Stage
from gateway.utility.openadr.registering import INVALID_ID, VenRegistrar
from gateway.utility.openadr.replies import accepted, refused
from gateway.utility.openadr.reporting import VenReporting


class VtnOrders:
    """The same for messages that were polled and those that were pushed."""

    def __init__(
        self, answers: EventAnswers, reporting: VenReporting, registrar: VenRegistrar
    ) -> None:
        self._answers = answers
        self._reporting = reporting
        self._registrar = registrar

    async def obey(self, message: Payload, registration: Registration) -> Payload | None:
        """Do what a message asks; None: it wants no answer.

        Raises:
            ProtocolError: not a message for a VEN.
            TransientError: it cannot be done now.
        """
        if getattr(message, "ven_id", None) not in (None, "", registration.ven_id):
            return refused(message, INVALID_ID, "not our venID")
        return await self._obey(message, registration)

    async def _obey(self, message: Payload, registration: Registration) -> Payload | None:
        ven_id = registration.ven_id
        match message:
            case DistributeEvent():
                return await self._answers.answer(message, registration)
            case CreateReport(requests=wanted):
                return await self._reporting.create(wanted, ven_id, message.request_id)
            case CancelReport():
                return await self._reporting.cancel(message, ven_id)
            case RegisterReport():
                response = EiResponse(request_id=message.request_id)
                return RegisteredReport(response=response, ven_id=ven_id)
            case RequestReregistration():
                await self._registrar.move_to(Stage.REGISTER_AGAIN)
                return accepted(ven_id)
            case CancelPartyRegistration():
                return await self._registrar.cancelled_by_vtn(message)
            case _:
                raise ProtocolError(f"unexpected {type(message).__name__} of a VTN")
