"""EiRegisterParty, VEN side: a small state machine that is stored at every step.

::

    none --query, create--> OFFER_REPORTS --register report--> COMPLETE
    COMPLETE --asked by the VTN--> REGISTER_AGAIN --create with both ids--> OFFER_REPORTS
    any --cancelled by the VTN--> CANCELLED --answered--> none
    any --cancelled by us, or no longer known to the VTN--> none
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from contracts.errors import ProtocolError, TransientError
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    EiResponse,
    Payload,
    QueryRegistration,
)
from gateway.utility.openadr.memory import Registration, Stage, VenMemory
from gateway.utility.openadr.settings import OpenAdrSettings

_log = structlog.get_logger(__name__)

INVALID_ID, UNREGISTERED = 452, 463
NOT_REGISTERED = (INVALID_ID, UNREGISTERED)
"""What a VTN answers to one it does not know (any more)."""
DEFAULT_POLL = timedelta(seconds=30)
MIN_POLL_S = 0.2
Exchange = Callable[[Payload], Awaitable[Payload]]


class VenRegistrar:
    """Our registration with one VTN."""

    def __init__(
        self, settings: OpenAdrSettings, memory: VenMemory, exchange: Exchange, *, signs: bool
    ) -> None:
        listener = settings.listener
        self._settings = settings
        self._memory = memory
        self._exchange = exchange
        self._signs = signs
        self._push_url = None if listener is None else str(listener.url).rstrip("/")
        self._log = _log.bind(utility=settings.utility_id)
        self.current: Registration | None = None
        """As the VTN knows us."""

    async def restore(self) -> None:
        """Take up what a predecessor had."""
        self.current = await self._memory.registration()

    async def ensure(self) -> Registration:
        """The registration, made when there is none or when we want to be reached otherwise.

        Raises:
            TransientError: the VTN did not accept it, or cannot be reached.
            ProtocolError: the VTN does not speak 2.0b over simple HTTP, or left out an id.
        """
        known = self.current
        if known is not None and known.push_url == self._push_url:
            return known
        self._check_profile(await self._exchange(QueryRegistration(request_id=_new_id())))
        return await self.register()

    async def register(self) -> Registration:
        """Create the registration; an existing one again, with both its ids.

        Raises:
            TransientError: the VTN did not accept it, or cannot be reached.
            ProtocolError: it left out an id.
        """
        old = self.current
        answer = await self._exchange(self._request(old))
        if not isinstance(answer, CreatedPartyRegistration) or not answer.response.ok:
            if old is not None and _code(answer) in NOT_REGISTERED:
                await self.forget()
            raise TransientError(f"registration refused: {why(answer)}")
        if not answer.ven_id or not answer.registration_id:
            raise ProtocolError("registration accepted without venID or registrationID")
        poll = self._settings.poll_s or (answer.poll_frequency or DEFAULT_POLL).total_seconds()
        made = Registration(
            ven_id=answer.ven_id,
            registration_id=answer.registration_id,
            vtn_id=answer.vtn_id,
            poll_s=max(MIN_POLL_S, poll),
            push_url=self._push_url,
            stage=Stage.OFFER_REPORTS,
        )
        await self._put(made)
        self._log.info("openadr_registered", ven_id=made.ven_id, poll_s=made.poll_s)
        return made

    async def move_to(self, stage: Stage) -> None:
        """Store what is next."""
        if self.current is not None and self.current.stage is not stage:
            await self._put(replace(self.current, stage=stage))

    async def cancelled_by_vtn(self, message: CancelPartyRegistration) -> CanceledPartyRegistration:
        """The answer: 452 to another registrationID than ours, which stays as it is."""
        known = self.current
        ours = known is not None and message.registration_id == known.registration_id
        if ours:
            await self.move_to(Stage.CANCELLED)
        return CanceledPartyRegistration(
            response=EiResponse(
                code=200 if ours else INVALID_ID,
                description="OK" if ours else "unknown registrationID",
                request_id=message.request_id,
            ),
            registration_id=message.registration_id,
            ven_id=known.ven_id if known is not None else None,
        )

    async def cancel(self) -> None:
        """End the registration ourselves; one the VTN does not know is ended already.

        Raises:
            TransientError: the VTN cannot be reached, or refused.
        """
        old = self.current
        if old is None:
            return
        answer = await self._exchange(
            CancelPartyRegistration(
                request_id=_new_id(), registration_id=old.registration_id, ven_id=old.ven_id
            )
        )
        taken = isinstance(answer, CanceledPartyRegistration) and answer.response.ok
        if not taken and _code(answer) not in NOT_REGISTERED:
            raise TransientError(f"cancellation refused: {why(answer)}")
        self._log.info("openadr_registration_cancelled", ven_id=old.ven_id)
        await self.forget()

    async def forget(self) -> None:
        """The registration is no more."""
        await self._memory.unregister()
        self.current = None

    async def _put(self, registration: Registration) -> None:
        await self._memory.register(registration)
        self.current = registration

    def _request(self, old: Registration | None) -> CreatePartyRegistration:
        return CreatePartyRegistration(
            request_id=_new_id(),
            registration_id=old.registration_id if old else None,
            ven_id=old.ven_id if old else self._settings.ven_id,
            ven_name=self._settings.ven_name,
            xml_signature=self._signs,
            http_pull_model=self._push_url is None,
            transport_address=self._push_url,
        )

    def _check_profile(self, answer: Payload) -> None:
        if not isinstance(answer, CreatedPartyRegistration):
            raise TransientError(f"registration query refused: {why(answer)}")
        spoken = {p.name: p.transports for p in answer.profiles}
        if "simpleHttp" not in spoken.get("2.0b", ()):
            raise ProtocolError(f"the VTN does not speak 2.0b over simpleHttp: {spoken}")


def why(answer: Payload) -> str:
    """A refusal in words."""
    response: EiResponse | None = getattr(answer, "response", None)
    text = f"{response.code} {response.description}" if response else ""
    return f"{type(answer).__name__} {text}".strip()


def _code(answer: Payload) -> int:
    response: EiResponse | None = getattr(answer, "response", None)
    return 0 if response is None else response.code


def _new_id() -> str:
    return uuid.uuid4().hex
