"""EiEvent, VEN side: hand each event of a distribution to the intake and answer the VTN.

Nothing is lost or doubled by a kill between two writes. The intake comes first and gives the same
answer to the same modification again; then what is known is stored; the answer is put into the
outbox by the caller, and whoever starts asks for all events again.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import timedelta

import structlog

from contracts.errors import TransientError
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
from gateway.domain.event import Opt, OptDecision
from gateway.ports import EventIntake, Participation
from gateway.utility.openadr import mapping, randomising
from gateway.utility.openadr.event_set import (
    NOTHING_TAKEN,
    Change,
    KnownEvent,
    Refused,
    changes,
    gone,
)
from gateway.utility.openadr.mapping import Addressee, UnusableEventError
from gateway.utility.openadr.memory import Registration, VenMemory

_log = structlog.get_logger(__name__)

OUT_OF_SEQUENCE = 450
OK = 200


class EventAnswers:
    """Knows every event answered so far; the same modification gets the same answer for ever."""

    def __init__(
        self,
        utility_id: str,
        intake: EventIntake,
        memory: VenMemory,
        clock: Clock,
        *,
        seed: str = "",
        participation: Participation | None = None,
        market_contexts: Set[str] = frozenset(),
    ) -> None:
        """`seed` spreads random starts; `participation` None: any name is ours, nobody leaves."""
        self._utility_id = utility_id
        self._intake = intake
        self._memory = memory
        self._clock = clock
        self._seed = f"{utility_id}|{seed}"
        self._participation = participation
        self._market_contexts = market_contexts
        self._known: dict[str, KnownEvent] = {}
        self.brought_news = False
        """Whether the last distribution held anything we had not answered before."""
        self.unanswered = False
        """Whether an event of the last distribution could not be stored: ask for all again."""

    async def restore(self) -> None:
        """Take up what a predecessor answered."""
        self._known = await self._memory.all(KnownEvent)

    def open_events(self) -> tuple[KnownEvent, ...]:
        """Events answered that are not over."""
        now = self._clock.now()
        return tuple(e for e in self._known.values() if _taken(e) and e.open_at(now))

    async def settle(self, event_id: str, *, opt_in: bool, left: bool, cause: str) -> None:
        """From now on this is the answer to an event: the utility was told by another message.

        `left`: by an oadrCreateOpt, because every site has left it.
        """
        known = self._known.get(event_id)
        if known is not None:
            settled = replace(known, opt_in=opt_in, left=left, cause=cause)
            if settled != known:
                await self._store(settled)
                opt = Opt.IN if opt_in else Opt.OUT
                await self._note(settled, f"told {opt.value} since", cause)

    async def answer(
        self, message: DistributeEvent, registration: Registration
    ) -> CreatedEvent | None:
        """Act on a distribution; the message to send back, or None when nobody wants one.

        What cannot be stored now leaves its event without an answer and sets `unanswered`.
        """
        self.brought_news = self.unanswered = False
        if message.vtn_id != registration.vtn_id:
            return _not_ours(message, registration)
        responses: dict[str, EventResponse] = {}
        found = list(changes(self._known, message.events))
        self.brought_news = any(change is not Change.REPEAT for change, _ in found)
        for change, event in found:
            response = await self._safely(change, event, message.request_id, registration)
            if response is not None and event.response_required is ResponseRequired.ALWAYS:
                responses[event.event_id] = response
        for rejected in message.rejected:
            await self._reject(rejected)
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

    async def cancel_due(self) -> None:
        """Cancel events whose randomised end has come.

        Raises:
            TransientError: it could not be stored now; call again.
        """
        now = self._clock.now()
        for known in list(self._known.values()):
            if known.cancel_at is not None and known.cancel_at <= now:
                await self._withdraw(known, "cancelled by the utility, randomised end reached")

    async def _reject(self, rejected: RejectedEvent) -> None:
        """What could not even be read is written down; its answer needs no store."""
        _log.warning("openadr_event_rejected", event_id=rejected.event_id, why=rejected.reason)
        key = f"{self._utility_id}/{rejected.event_id}"
        try:
            await self._intake.note(key, "refused: it cannot be read", rejected.reason)
        except TransientError as error:
            _log.warning("openadr_rejection_not_noted", event_key=key, why=str(error))

    async def _note(self, known: KnownEvent, action: str, cause: str) -> None:
        if not known.silent:
            await self._intake.note(f"{self._utility_id}/{known.event_id}", action, cause)

    async def _safely(
        self, change: Change, event: OadrEvent, request_id: str, registration: Registration
    ) -> EventResponse | None:
        """One event's failure never touches another's answer; None: nothing could be stored."""
        try:
            return await self._one(change, event, request_id, registration)
        except TransientError as error:
            self.unanswered = True
            _log.warning("openadr_event_postponed", event_id=event.event_id, why=str(error))
            return None
        except Exception:
            _log.exception("openadr_event_not_taken", event_id=event.event_id)
            cause = "it could not be processed; see the gateway's log"
            return mapping.event_response(event, request_id, self._said(event, Opt.OUT, cause))

    async def _one(
        self, change: Change, event: OadrEvent, request_id: str, registration: Registration
    ) -> EventResponse:
        known = self._known.get(event.event_id)
        if change is Change.PAST:
            decision = self._said(event, Opt.IN, "already over when first seen")
            return mapping.event_response(event, request_id, decision)
        if known is not None and change in (Change.STALE, Change.REPEAT):
            return self._again(change, known, event, request_id)
        us = self._us(registration)
        if known is not None and change is Change.CANCEL:
            return await self._cancel(known, event, request_id, us)
        try:
            return await self._take(known, event, request_id, us)
        except UnusableEventError as error:
            return await self._refuse(event, request_id, error.code, str(error))

    async def _take(
        self,
        known: KnownEvent | None,
        event: OadrEvent,
        request_id: str,
        us: Addressee,
    ) -> EventResponse:
        """A new event, or a modification of one: the intake decides."""
        now, period = self._clock.now(), event.active_period
        shift = randomising.shift(event.event_id, period, known, self._seed, now)
        grid_event = mapping.grid_event(event, utility_id=self._utility_id, us=us, shift=shift)
        decision = (await self._intake.receive([grid_event]))[grid_event.key]
        left = await self._all_have_left(decision)
        if left is not None:
            decision = replace(decision, opt=Opt.OUT, cause=left)
        known = replace(self._as_known(event, decision, shift), request_id=request_id)
        await self._store(replace(known, left=left is not None))
        await self._note(known, f"answered {decision.opt.value}", decision.cause)
        return mapping.event_response(event, request_id, decision)

    async def _all_have_left(self, decision: OptDecision) -> str | None:
        """Why nobody takes part: an event that every site has left stays left when modified."""
        if self._participation is None or decision.opt is Opt.OUT:
            return None
        found = await self._participation.of_event(decision.event_key)
        if found is None or not found.all_out:
            return None
        return "; ".join(sorted(set(found.out.values())))

    async def _cancel(
        self, known: KnownEvent, event: OadrEvent, request_id: str, us: Addressee
    ) -> EventResponse:
        """Always taken, whatever we thought of the event; a running one may end a little later."""
        modification = event.descriptor.modification_number
        known = replace(known, modification=modification, refused=None)
        now = self._clock.now()
        at = randomising.cancelled_at(known, self._seed, now)
        if at <= now and await self._hand_in_cancelled(known, event, us):
            await self._store(_ended(known))
        else:
            await self._end(known, "cancelled by the utility")
        decision = self._said(event, Opt.IN, "cancellation taken")
        silent = event.response_required is not ResponseRequired.ALWAYS
        await self._note(replace(known, silent=silent), "answered optIn", decision.cause)
        return mapping.event_response(event, request_id, decision)

    async def _hand_in_cancelled(self, known: KnownEvent, event: OadrEvent, us: Addressee) -> bool:
        """With its modification; False when the rest of it cannot be used: then it is withdrawn."""
        shift = timedelta(seconds=known.shift_s)
        try:
            found = mapping.grid_event(event, utility_id=self._utility_id, us=us, shift=shift)
        except UnusableEventError:
            return False
        await self._intake.receive([found.cancel()])
        return True

    async def _refuse(
        self, event: OadrEvent, request_id: str, code: int, cause: str
    ) -> EventResponse:
        """Remembered too: the same modification is refused alike. The one before stays in force."""
        _log.warning("openadr_event_refused", event_id=event.event_id, code=code, why=cause)
        modification = event.descriptor.modification_number
        known = self._known.get(event.event_id) or KnownEvent(
            event_id=event.event_id,
            modification=NOTHING_TAKEN,
            opt_in=False,
            cause=cause,
            ends_at=None,
            over=True,
        )
        refused = Refused(modification=modification, code=code, cause=cause)
        key = f"{self._utility_id}/{event.event_id}"
        await self._intake.note(key, f"modification {modification} refused, code {code}", cause)
        await self._store(replace(known, refused=refused))
        decision = self._said(event, Opt.OUT, cause)
        return mapping.event_response(event, request_id, decision, code)

    def _again(
        self, change: Change, known: KnownEvent, event: OadrEvent, request_id: str
    ) -> EventResponse:
        """The stored answer, to what is known or older."""
        if change is Change.STALE:
            return mapping.event_response(event, request_id, self._stored(known), OUT_OF_SEQUENCE)
        refused, modification = known.refused, event.descriptor.modification_number
        if refused is not None and refused.modification == modification:
            decision = self._said(event, Opt.OUT, refused.cause)
            return mapping.event_response(event, request_id, decision, refused.code)
        return mapping.event_response(event, request_id, self._stored(known))

    async def _cancel_missing(self, message: DistributeEvent) -> None:
        """Implied cancellation, then forget what needs not be known any more."""
        listed = frozenset(e.event_id for e in message.events)
        listed |= frozenset(e.event_id for e in message.rejected)
        now = self._clock.now()
        try:
            for event_id in gone(self._known, listed, now):
                _log.info("openadr_implied_cancel", event_id=event_id)
                cause = "no longer listed by the utility (implied cancellation)"
                await self._end(self._known[event_id], cause)
            over = [k for k, e in self._known.items() if k not in listed and not e.needed_at(now)]
            await self._memory.drop(KnownEvent, over)
        except TransientError as error:
            self.unanswered = True
            _log.warning("openadr_cancellation_postponed", why=str(error))
            return
        for event_id in over:
            del self._known[event_id]

    async def _end(self, known: KnownEvent, cause: str) -> None:
        now = self._clock.now()
        at = randomising.cancelled_at(known, self._seed, now)
        if at <= now:
            await self._withdraw(known, cause)
        else:
            _log.info("openadr_randomised_end", event_id=known.event_id, at=at.isoformat())
            await self._store(replace(known, opt_in=True, over=True, cancel_at=at, cause=cause))

    async def _withdraw(self, known: KnownEvent, cause: str) -> None:
        await self._intake.withdraw(f"{self._utility_id}/{known.event_id}", cause)
        await self._store(_ended(known))

    def _as_known(self, event: OadrEvent, decision: OptDecision, shift: timedelta) -> KnownEvent:
        period = event.active_period
        return KnownEvent(
            event_id=event.event_id,
            modification=event.descriptor.modification_number,
            opt_in=decision.opt is Opt.IN,
            cause=decision.cause,
            starts_at=period.start,
            ends_at=period.window.end,
            shift_s=shift.total_seconds(),
            tolerance_s=period.start_after.total_seconds(),
            silent=event.response_required is not ResponseRequired.ALWAYS,
        )

    def _us(self, registration: Registration) -> Addressee:
        return Addressee(
            ven_id=registration.ven_id,
            names=self._participation.names if self._participation else None,
            market_contexts=self._market_contexts,
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

    def _said(self, event: OadrEvent, opt: Opt, cause: str) -> OptDecision:
        return OptDecision(
            event_key=f"{self._utility_id}/{event.event_id}",
            modification=event.descriptor.modification_number,
            opt=opt,
            cause=cause,
        )


def _taken(known: KnownEvent) -> bool:
    return known.modification != NOTHING_TAKEN


def _ended(known: KnownEvent) -> KnownEvent:
    return replace(known, opt_in=True, over=True, cancel_at=None, cause="cancellation taken")


def _not_ours(message: DistributeEvent, registration: Registration) -> CreatedEvent:
    """Another VTN's distribution changes nothing here."""
    _log.warning("openadr_foreign_vtn", vtn_id=message.vtn_id, ours=registration.vtn_id)
    response = EiResponse(
        code=mapping.INVALID_ID, description="unknown vtnID", request_id=message.request_id
    )
    return CreatedEvent(ven_id=registration.ven_id, response=response)


def _refusal(rejected: RejectedEvent, request_id: str) -> EventResponse:
    return EventResponse(
        code=mapping.INVALID_DATA,
        description=rejected.reason[:200],
        request_id=request_id,
        event_id=rejected.event_id,
        modification_number=rejected.modification_number,
        opt_type=OptType.OUT,
    )
