"""EiEvent, VEN side: hand each event of a distribution to the intake and answer the VTN."""

from __future__ import annotations

from dataclasses import replace

import structlog

from contracts.openadr.payloads import (
    CreatedEvent,
    DistributeEvent,
    EiResponse,
    EventResponse,
    OadrEvent,
    OptType,
    RejectedEvent,
    ResponseRequired,
)
from contracts.time import Clock
from gateway.domain.event import GridEvent, Opt, OptDecision
from gateway.ports import EventIntake
from gateway.utility.openadr import mapping
from gateway.utility.openadr.event_set import Change, KnownEvent, changes, gone
from gateway.utility.openadr.mapping import UnusableEventError
from gateway.utility.openadr.memory import Registration, VenMemory

_log = structlog.get_logger(__name__)

OUT_OF_SEQUENCE = 450
OK = 200


class EventAnswers:
    """Knows every event answered so far; the same modification gets the same answer for ever."""

    def __init__(
        self, utility_id: str, intake: EventIntake, memory: VenMemory, clock: Clock
    ) -> None:
        self._utility_id = utility_id
        self._intake = intake
        self._memory = memory
        self._clock = clock
        self._known: dict[str, KnownEvent] = {}
        self.brought_news = False
        """Whether the last distribution held anything we had not answered before."""

    async def restore(self) -> None:
        """Take up what a predecessor answered."""
        self._known = await self._memory.all(KnownEvent)

    async def answer(
        self, message: DistributeEvent, registration: Registration
    ) -> CreatedEvent | None:
        """Act on a distribution; the message to send back, or None when nobody wants one."""
        responses: dict[str, EventResponse] = {}
        found = list(changes(self._known, message.events))
        self.brought_news = any(change is not Change.REPEAT for change, _ in found)
        for change, event in found:
            response = await self._one(change, event, message.request_id, registration)
            if event.response_required is ResponseRequired.ALWAYS:
                responses[event.event_id] = response
        for rejected in message.rejected:
            _log.warning("openadr_event_rejected", event_id=rejected.event_id, why=rejected.reason)
            if rejected.response_required is ResponseRequired.ALWAYS:
                responses[rejected.event_id] = _refusal(rejected, message.request_id)
        await self._cancel_missing(message)
        if not responses:
            return None
        return CreatedEvent(
            ven_id=registration.ven_id,
            response=EiResponse(request_id=message.request_id),
            event_responses=tuple(responses.values()),
        )

    async def _one(
        self, change: Change, event: OadrEvent, request_id: str, registration: Registration
    ) -> EventResponse:
        known = self._known.get(event.event_id)
        if known is not None and change in (Change.REPEAT, Change.STALE):
            code = OUT_OF_SEQUENCE if change is Change.STALE else OK
            return mapping.event_response(event, request_id, self._stored(known), code)
        if change is Change.PAST:
            cause = "already over when first seen"
            return mapping.event_response(event, request_id, self._in(event, cause))
        try:
            grid_event = mapping.grid_event(
                event, utility_id=self._utility_id, ven_id=registration.ven_id
            )
        except UnusableEventError as error:
            _log.warning("openadr_event_unusable", event_id=event.event_id, why=str(error))
            refusal = replace(self._in(event, str(error)), opt=Opt.OUT)
            return mapping.event_response(event, request_id, refusal, error.code)
        decision = await self._decide(change, grid_event)
        await self._remember(grid_event, decision, over=change is Change.CANCEL)
        return mapping.event_response(event, request_id, decision)

    async def _decide(self, change: Change, event: GridEvent) -> OptDecision:
        """A cancellation is always taken; anything else is the intake's to decide."""
        event = event.cancel() if change is Change.CANCEL else event
        decision = (await self._intake.receive([event]))[event.key]
        if change is Change.CANCEL:
            return replace(decision, opt=Opt.IN, cause="cancellation taken")
        return decision

    async def _cancel_missing(self, message: DistributeEvent) -> None:
        listed = frozenset(e.event_id for e in message.events)
        listed |= frozenset(e.event_id for e in message.rejected)
        for event_id in gone(self._known, listed, self._clock.now()):
            _log.info("openadr_implied_cancel", event_id=event_id)
            cause = "no longer listed by the utility (implied cancellation)"
            await self._intake.withdraw(f"{self._utility_id}/{event_id}", cause)
            await self._store(replace(self._known[event_id], over=True))
        now = self._clock.now()
        finished = [k for k, e in self._known.items() if k not in listed and not e.open_at(now)]
        await self._memory.drop(KnownEvent, finished)
        for event_id in finished:
            del self._known[event_id]

    async def _remember(self, event: GridEvent, decision: OptDecision, *, over: bool) -> None:
        await self._store(
            KnownEvent(
                event_id=event.event_id,
                modification=event.modification,
                opt_in=decision.opt is Opt.IN,
                cause=decision.cause,
                ends_at=event.window.end,
                over=over,
            )
        )

    async def _store(self, known: KnownEvent) -> None:
        await self._memory.put(known.event_id, known)
        self._known[known.event_id] = known

    def _stored(self, known: KnownEvent) -> OptDecision:
        return OptDecision(
            event_key=f"{self._utility_id}/{known.event_id}",
            modification=known.modification,
            opt=Opt.IN if known.opt_in else Opt.OUT,
            cause=known.cause,
        )

    def _in(self, event: OadrEvent, cause: str) -> OptDecision:
        return OptDecision(
            event_key=f"{self._utility_id}/{event.event_id}",
            modification=event.descriptor.modification_number,
            opt=Opt.IN,
            cause=cause,
        )


def _refusal(rejected: RejectedEvent, request_id: str) -> EventResponse:
    return EventResponse(
        code=mapping.INVALID_DATA,
        description=rejected.reason[:200],
        request_id=request_id,
        event_id=rejected.event_id,
        modification_number=rejected.modification_number,
        opt_type=OptType.OUT,
    )
