"""Responses to events that are not DER controls: prices, load control, flow reservations.

They have no modes and no defaults, so each event stands by itself: received, started, completed, or
refused, cancelled, superseded. What must be remembered of it is one document per device with the
Responses that follow from it, written in one go (see `outbox`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from contracts.sep2.codes import EventState, ResponseRequired, ResponseStatus
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import Event, RandomizableEvent, Response
from contracts.time import Interval
from gateway.domain.der.draw import draw
from gateway.utility.sep2.memory import from_json, to_json
from gateway.utility.sep2.outbox import Message, Sep2Outbox
from gateway.utility.sep2.settings import Sep2Settings

_log = structlog.get_logger(__name__)
REMEMBER = timedelta(hours=1)
"""How long an event is known after its end once it is no longer listed."""
_CANCELLED = (EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION)
_AT_RECEIPT = {
    ResponseStatus.RECEIVED: ResponseRequired.RECEIVED,
    ResponseStatus.OPT_OUT: ResponseRequired.SPECIFIC | ResponseRequired.USER,
    ResponseStatus.NOT_APPLICABLE: ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC,
    ResponseStatus.INVALID: ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC,
    ResponseStatus.EXPIRED: ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC,
}
"""Any one of these bits is enough; every other code goes with `SPECIFIC`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event at one device, from its receipt until it is forgotten."""

    subject: str
    """The mRID as it was listed."""
    reply_to: str | None
    required: int
    start: datetime
    """Effective, after randomisation."""
    end: datetime
    refused: int | None = None
    """Code of a refusal at receipt."""
    started: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Every event of one device that is not forgotten, by canonical mRID."""

    events: Mapping[str, Seen] = field(default_factory=dict)


Told = tuple[ResponseStatus, datetime]
"""A code and when it came to that."""


def received(
    event: Event, seed: str, now: datetime, refused: int | None
) -> tuple[Seen, list[Told]]:
    """An event at first sight (IEEE 2030.5-2018, 10.2.3.3 l, m)."""
    window = effective(event, seed)
    end = window.end or window.start
    seen = Seen(
        subject=event.mrid,
        reply_to=event.reply_to,
        required=event.response_required,
        start=max(window.start, now),  # received late, it starts now
        end=end,
        refused=refused,
        over=refused is not None,
    )
    if end <= now:
        return replace(seen, over=True), [(ResponseStatus.EXPIRED, now)]
    told = [(ResponseStatus.RECEIVED, now)]
    if refused is not None:
        told.append((ResponseStatus(refused), now))
    return seen, told


def later(seen: Seen, state: int | None, now: datetime) -> tuple[Seen, list[Told]]:
    """What time and the server's status (None: not listed) make of a known event."""
    if seen.over:
        return seen, []
    told: list[Told] = []
    off = now if state in _CANCELLED or state == EventState.SUPERSEDED else seen.end
    if not seen.started and seen.start <= now and off > seen.start:
        seen = replace(seen, started=True)
        told.append((ResponseStatus.STARTED, seen.start))
    if seen.end <= now:
        return replace(seen, over=True), [*told, (ResponseStatus.COMPLETED, seen.end)]
    if state in _CANCELLED:
        return replace(seen, over=True), [*told, (ResponseStatus.CANCELLED, now)]
    if state == EventState.SUPERSEDED:
        return replace(seen, over=True), [*told, (ResponseStatus.SUPERSEDED, now)]
    return seen, told


def effective(event: Event, seed: str) -> Interval:
    """The time of an event after the random part (10.2.4) that `seed` draws."""
    window = event.interval.window
    if not isinstance(event, RandomizableEvent) or window.end is None:
        return window
    none = timedelta(0)
    drawn = draw(
        canonical_mrid(event.mrid),
        seed,
        randomize_start=event.randomize_start or none,
        randomize_duration=event.randomize_duration or none,
    )
    start = window.start + drawn.start
    return Interval(start=start, end=max(start, window.end + drawn.start + drawn.duration))


class EventAnswers:
    """The Responses to one kind of event, for every device of a utility."""

    def __init__(
        self,
        name: str,
        kind: type[Response],
        settings: Sep2Settings,
        outbox: Sep2Outbox,
        seed: str | None = None,
    ) -> None:
        """`name` tells the kinds apart in the outbox; random parts are drawn by LFDI or `seed`."""
        self._seed = seed
        self._lanes = f"{name}/"
        self._kind = kind
        self._codes = settings.response_codes
        self._gone: int | None = EventState.CANCELLED if settings.edition == "2023" else None
        """What it means that an event is no longer listed before its end (10.2.3 p)."""
        self._outbox = outbox
        self._logs: dict[str, Log] = {}

    def restore(self) -> None:
        """Take up what a predecessor knew; the outbox has been restored before."""
        for lane, state in self._outbox.states().items():
            if lane.startswith(self._lanes):
                try:
                    self._logs[lane.removeprefix(self._lanes)] = from_json(Log, state)
                except ValueError as error:
                    _log.error("sep2_events_unreadable", lane=lane, error=str(error))

    def seen(self, lfdi: str, mrid: str) -> Seen | None:
        """An event as known so far."""
        log = self._logs.get(lfdi)
        return None if log is None else log.events.get(canonical_mrid(mrid))

    async def answer(
        self,
        lfdi: str,
        listed: Sequence[Event],
        refused: Mapping[str, int],
        now: datetime,
        *,
        complete: bool = True,
    ) -> None:
        """Take in what is listed, with the codes of refusals by canonical mRID. Durable on return.

        What is missing from a list that is not `complete` is not gone.

        Raises:
            TransientError: it could not be stored now; call again.
        """
        known = self._logs.get(lfdi, Log())
        by_mrid = {canonical_mrid(event.mrid): event for event in listed}
        after: dict[str, Seen] = {}
        messages: list[tuple[datetime, Message]] = []
        for mrid in known.events.keys() | by_mrid.keys():
            seen, event = known.events.get(mrid), by_mrid.get(mrid)
            told: list[Told] = []
            if seen is None and event is not None:
                seen, told = received(event, self._seed or lfdi, now, refused.get(mrid))
            if seen is None or (event is None and seen.over and seen.end + REMEMBER <= now):
                continue
            status = self._gone if complete else None
            if event is not None:
                status = event.event_status.current_status
            seen, more = later(seen, status, now)
            after[mrid] = seen
            messages += self._messages(lfdi, mrid, seen, [*told, *more])
        log = Log(events=dict(sorted(after.items())))
        if log == known:
            return
        ordered = [message for _, message in sorted(messages, key=lambda one: one[0])]
        await self._outbox.put(self._lanes + lfdi, *ordered, state=to_json(log))
        self._logs[lfdi] = log

    def _messages(
        self, lfdi: str, mrid: str, seen: Seen, told: Iterable[Told]
    ) -> Iterable[tuple[datetime, Message]]:
        for code, at in told:
            bits = _AT_RECEIPT.get(code, ResponseRequired.SPECIFIC)
            if seen.reply_to is None or not seen.required & bits or code not in self._codes:
                continue
            answer = self._kind(
                created_date_time=at,
                end_device_lfdi=lfdi,
                status=int(code),
                subject=seen.subject,
            )
            yield at, self._outbox.message(f"{mrid}/{int(code)}", seen.reply_to, answer)
