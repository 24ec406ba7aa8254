"""The utility's events: asked for, changed, cancelled, sent to each VEN, and answered."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.errors import PermanentError
from contracts.openadr.payloads import (
    CreatedEvent,
    DistributeEvent,
    EventResponse,
    EventStatus,
    OadrEvent,
    OptType,
)
from vtn_sim.openadr.event_payload import VtnEvent, check_sendable, oadr_event
from vtn_sim.openadr.ledger import Receipt
from vtn_sim.openadr.refusal import INVALID_ID, OK, OUT_OF_SEQUENCE, Refusal
from vtn_sim.spec import EventSpec

KEEP_AFTER_END = timedelta(minutes=2)
"""An event that is over stays in the list so long, for VENs whose clock is slow."""
KEEP_CANCELLED = timedelta(days=1)
"""A cancelled event without an end stays so long, for VENs that are away."""


class UnknownEventError(PermanentError):
    """No event has this id."""


class FinishedEventError(PermanentError):
    """The event is cancelled or over: it cannot be changed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a VEN said to one modification of an event."""

    opt: OptType
    code: int
    description: str
    at: datetime
    request_id: str = ""
    receipt: Receipt | None = None
    """Of the message it came in."""

    @property
    def acknowledged(self) -> bool:
        """False: a fault of ours has spoilt the acknowledgement, it may come again."""
        return self.receipt is None or self.receipt.acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One modification of one event at one VEN."""

    ven_id: str
    event_id: str
    modification: int
    first_sent_at: datetime
    last_sent_at: datetime
    times_sent: int = 1
    polls_before_answer: int = 0
    """Polls of the VEN between the first sending and its first answer; the rule allows none."""
    answers: tuple[Answer, ...] = ()
    requests: tuple[str, ...] = ()
    """requestID of the oadrDistributeEvent of each sending."""
    stale_requests: tuple[str, ...] = ()
    """Those that came after a newer modification."""
    lost_answers: int = 0
    """Answers that a fault of ours did not let in."""


class EventBook:
    """All events and what each VEN knows of them."""

    def __init__(self, resend_after: timedelta) -> None:
        self._resend_after = resend_after
        self._events: dict[str, VtnEvent] = {}
        self._deliveries: dict[tuple[str, str, int], Delivery] = {}
        self._before: dict[str, VtnEvent] = {}
        self._owed: set[str] = set()
        self._void: set[tuple[str, str]] = set()

    # --- what the utility wants ----------------------------------------------------------------

    def add(self, spec: EventSpec, start: datetime, now: datetime) -> VtnEvent:
        """A new event.

        Raises:
            PermanentError: its id is taken.
            UnsendableError: XML cannot carry it.
        """
        event_id = spec.event_id or f"evt-{start:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        if event_id in self._events:
            raise PermanentError(f"event {event_id!r} exists already")
        event = VtnEvent(event_id=event_id, created_at=now, start=start, spec=spec)
        check_sendable(event, now)
        self._events[event_id] = event
        return event

    def modify(self, event_id: str, spec: EventSpec, start: datetime, now: datetime) -> VtnEvent:
        """The event with the next modification number.

        Raises:
            UnknownEventError, FinishedEventError: there is nothing to change.
        """
        event = self._open_event(event_id, now)
        return self._put(replace(event, spec=spec, start=start), now)

    def cancel(self, event_id: str, now: datetime, *, end_within_s: int | None = None) -> VtnEvent:
        """The event cancelled, with the next modification number.

        `end_within_s` replaces the tolerance, by which VENs choose their end at random; 0 ends it
        at once for all.

        Raises:
            UnknownEventError, FinishedEventError: there is nothing to cancel.
        """
        event = self._open_event(event_id, now)
        spec = event.spec
        if end_within_s is not None:
            spec = spec.model_copy(update={"start_tolerance_s": end_within_s})
        return self._put(replace(event, spec=spec, cancelled_at=now), now)

    def withdraw(self, event_id: str, now: datetime) -> VtnEvent:
        """The event left out of what is sent from now on: an implied cancellation.

        Raises:
            UnknownEventError, FinishedEventError: there is nothing to withdraw.
        """
        event = replace(self._open_event(event_id, now), withdrawn_at=now)
        self._events[event_id] = event
        self._owed |= {d.ven_id for d in self.deliveries(event_id)}
        return event

    def owe(self, ven_id: str) -> None:
        """Send everything once more, changed or not."""
        self._owed.add(ven_id)

    def event(self, event_id: str) -> VtnEvent:
        """The event at its newest modification.

        Raises:
            UnknownEventError: there is none.
        """
        if event_id not in self._events:
            raise UnknownEventError(f"no event {event_id!r}")
        return self._events[event_id]

    def event_for(self, ven_id: str, event_id: str) -> VtnEvent | None:
        """An event that concerns this VEN, if there is one of this id."""
        event = self._events.get(event_id)
        return event if event is not None and event.concerns(ven_id) else None

    @property
    def events(self) -> Sequence[VtnEvent]:
        """Every event in order of creation."""
        return tuple(self._events.values())

    def deliveries(self, event_id: str) -> Sequence[Delivery]:
        """Where the event went, in order of time."""
        return tuple(d for d in self._deliveries.values() if d.event_id == event_id)

    def _open_event(self, event_id: str, now: datetime) -> VtnEvent:
        event = self.event(event_id)
        if event.withdrawn_at is not None:
            raise FinishedEventError(f"event {event_id!r} is withdrawn")
        if event.status(now) in (EventStatus.CANCELLED, EventStatus.COMPLETED):
            raise FinishedEventError(f"event {event_id!r} is {event.status(now)}")
        return event

    def _put(self, event: VtnEvent, now: datetime) -> VtnEvent:
        changed = replace(event, modification=event.modification + 1, modified_at=now)
        check_sendable(changed, now)
        self._before[event.event_id] = self._events[event.event_id]
        self._events[event.event_id] = changed
        return changed

    # --- what VENs get and say -----------------------------------------------------------------

    def has_news(self, ven_id: str, now: datetime) -> bool:
        """Whether the VEN lacks a modification, or owes an answer for too long."""
        current = self._current(ven_id, now)
        return ven_id in self._owed or any(self._due(ven_id, event, now) for event in current)

    def distribute(
        self, ven_id: str, now: datetime, request_id: str = "", *, older: bool = False
    ) -> tuple[OadrEvent, ...]:
        """All current events for the VEN, now counted as sent.

        `older`: each at the modification before its newest, if there is one.
        """
        self._owed.discard(ven_id)
        current = self._current(ven_id, now)
        if older:
            self._owed.add(ven_id)
            current = [self._before.get(event.event_id, event) for event in current]
        for event in current:
            self._sent(ven_id, event.event_id, event.modification, request_id, now)
        return tuple(oadr_event(event, now) for event in current)

    def sent_again(self, ven_id: str, message: DistributeEvent, now: datetime) -> None:
        """A batch was sent a second time as it is."""
        for event in message.events:
            number = event.descriptor.modification_number
            self._sent(ven_id, event.event_id, number, message.request_id, now)

    def unsent(self, ven_id: str, request_id: str, *, again: bool) -> None:
        """A batch cannot be read or believed; `again`: it is sent once more without waiting."""
        self._void.add((ven_id, request_id))
        for key, delivery in list(self._deliveries.items()):
            if delivery.ven_id != ven_id or request_id not in delivery.requests:
                continue
            kept = list(delivery.requests)
            kept.remove(request_id)
            self._deliveries[key] = replace(
                delivery, requests=tuple(kept), times_sent=delivery.times_sent - 1
            )
            if not kept:
                del self._deliveries[key]
        if again:
            self._owed.add(ven_id)

    def polled(self, ven_id: str) -> None:
        """The VEN polled: events it has not answered yet are late from now on."""
        for key, delivery in self._deliveries.items():
            silent = not delivery.answers and not delivery.lost_answers
            if delivery.ven_id == ven_id and silent:
                polls = delivery.polls_before_answer + 1
                self._deliveries[key] = replace(delivery, polls_before_answer=polls)

    def attempted(self, message: CreatedEvent) -> None:
        """Answers came that a fault of ours did not let in."""
        for response in message.event_responses:
            key = (message.ven_id, response.event_id, response.modification_number)
            delivery = self._deliveries.get(key)
            if delivery is not None:
                lost = delivery.lost_answers + 1
                self._deliveries[key] = replace(delivery, lost_answers=lost)

    def answered(self, ven_id: str, response: EventResponse, receipt: Receipt) -> None:
        """Record a VEN's answer.

        Raises:
            Refusal: 452 for an event the VEN was not sent, or by a message it should not have
                believed, 450 for an opt to another modification
                than the newest one (it is recorded all the same when the VEN was sent it).
        """
        event = self._events.get(response.event_id)
        delivery = self._deliveries.get((ven_id, response.event_id, response.modification_number))
        if (ven_id, response.request_id) in self._void:
            raise Refusal(INVALID_ID, f"answer to {response.request_id!r}, which was spoilt")
        if delivery is not None:
            self._record(delivery, response, receipt)
        if event is None or not event.concerns(ven_id):
            raise Refusal(INVALID_ID, f"no event {response.event_id!r}")
        if event.modification != response.modification_number and response.code == OK:
            raise Refusal(
                OUT_OF_SEQUENCE,
                f"event {response.event_id!r} is at modification {event.modification}",
                blameless=delivery is not None,
            )
        if delivery is None:
            raise Refusal(INVALID_ID, f"event {response.event_id!r} was not sent to this VEN")

    def _record(self, delivery: Delivery, response: EventResponse, receipt: Receipt) -> None:
        answer = Answer(
            opt=response.opt_type,
            code=response.code,
            description=response.description or "",
            at=receipt.at,
            request_id=response.request_id,
            receipt=receipt,
        )
        key = (delivery.ven_id, delivery.event_id, delivery.modification)
        self._deliveries[key] = replace(delivery, answers=(*delivery.answers, answer))

    def _current(self, ven_id: str, now: datetime) -> list[VtnEvent]:
        return [
            event
            for event in self._events.values()
            if event.concerns(ven_id) and event.withdrawn_at is None and not _forgotten(event, now)
        ]

    def _due(self, ven_id: str, event: VtnEvent, now: datetime) -> bool:
        delivery = self._deliveries.get((ven_id, event.event_id, event.modification))
        if delivery is None:
            return True
        owes = event.spec.response_required and not delivery.answers
        return owes and now - delivery.last_sent_at >= self._resend_after

    def _sent(
        self, ven_id: str, event_id: str, modification: int, request_id: str, now: datetime
    ) -> None:
        key = (ven_id, event_id, modification)
        known = self._deliveries.get(key)
        delivery = (
            Delivery(
                ven_id=ven_id,
                event_id=event_id,
                modification=modification,
                first_sent_at=now,
                last_sent_at=now,
                requests=(request_id,),
            )
            if known is None
            else replace(
                known,
                last_sent_at=now,
                times_sent=known.times_sent + 1,
                requests=(*known.requests, request_id),
            )
        )
        if (ven_id, event_id, modification + 1) in self._deliveries:
            stale = (*delivery.stale_requests, request_id)
            delivery = replace(delivery, stale_requests=stale)
        self._deliveries[key] = delivery


def _forgotten(event: VtnEvent, now: datetime) -> bool:
    """Whether VENs are not told of the event any more, not even that it was cancelled."""
    last = event.last_instant
    if last is None and event.cancelled_at is not None:
        last = event.cancelled_at + KEEP_CANCELLED
    return last is not None and last + KEEP_AFTER_END <= now
