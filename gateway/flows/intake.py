"""Events come in: decide, store, write down why, and have dispatch look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from gateway.domain.event import EventStatus, GridEvent, Opt, OptDecision
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import decide_opt
from gateway.flows.dispatch import Dispatch
from gateway.ports import JournalEntry, Ledger, StoredEvent

_log = structlog.get_logger(__name__)
_OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


class Intake:
    """`gateway.ports.EventIntake`, and the opt-out of a site by a person."""

    def __init__(
        self, portfolio: Portfolio, ledger: Ledger, dispatch: Dispatch, clock: Clock
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._dispatch = dispatch
        self._clock = clock

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        """Answer every event for itself; see the port.

        Raises:
            TransientError: an event could not be stored now. The others are, and get the same
                answer when all of them are handed in again.
        """
        answers: dict[str, OptDecision] = {}
        postponed: TransientError | None = None
        for event in events:
            try:
                answers[event.key] = await self._receive(event)
            except TransientError as error:
                postponed = error
            except Exception:
                _log.exception("event_not_taken", event_key=event.key)
                answers[event.key] = _out(event, "it could not be processed; see the gateway's log")
        if postponed is not None:
            raise postponed
        return answers

    async def withdraw(self, event_key: str, cause: str) -> None:
        """The utility no longer lists this event: cancel it (unknown or over: nothing happens)."""
        stored = await self._ledger.event(event_key)
        if stored is None or stored.event.status(self._clock.now()) in _OVER:
            return
        event = stored.event.cancel()
        decision = replace(stored.decision, opt=Opt.IN, cause=cause)
        await self._store(event, decision, f"cancelled: {cause}")

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take one site out of one event and plan again; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        stored, now = await self._choosable(event_key, site_id), self._clock.now()
        if site_id in stored.opted_out_sites:
            return
        await self._ledger.opt_out_site(event_key, site_id, now, cause)
        await self._chosen(event_key, site_id, "opted out", cause)

    async def opt_in_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take a site that opted out back into the event; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        stored = await self._choosable(event_key, site_id)
        if site_id not in stored.opted_out_sites:
            return
        await self._ledger.opt_in_site(event_key, site_id)
        await self._chosen(event_key, site_id, "opted in again", cause)

    async def _choosable(self, event_key: str, site_id: str) -> StoredEvent:
        stored = await self._ledger.event(event_key)
        if stored is None:
            raise PermanentError(f"there is no event {event_key!r}")
        if self._portfolio.site(site_id) is None:
            raise PermanentError(f"there is no site {site_id!r}")
        if stored.event.status(self._clock.now()) in _OVER:
            raise PermanentError(f"event {event_key!r} is over")
        return stored

    async def _chosen(self, event_key: str, site_id: str, what: str, cause: str) -> None:
        now = self._clock.now()
        await self._ledger.log(
            JournalEntry(at=now, subject=event_key, action=f"{site_id}: {what}", cause=cause),
            JournalEntry(at=now, subject=site_id, action=f"{event_key}: {what}", cause=cause),
        )
        self._dispatch.request(event_key, f"{site_id} {what}: {cause}")

    async def _receive(self, event: GridEvent) -> OptDecision:
        stored = await self._ledger.event(event.key)
        if stored is not None and _is_known(stored, event):
            return stored.decision
        decision = decide_opt(self._portfolio.program(event.program_id), event, self._clock.now())
        if decision.opt is Opt.IN and not event.cancelled and not self._portfolio.addressed(event):
            decision = _out(event, "none of the sites enrolled in the program is addressed")
        await self._store(event, decision, _news(stored, event))
        return decision

    async def _store(self, event: GridEvent, decision: OptDecision, news: str) -> None:
        now = self._clock.now()
        await self._ledger.put_event(event, decision, now)
        entry = JournalEntry(
            at=now, subject=event.key, action=f"{news}: {decision.opt.value}", cause=decision.cause
        )
        await self._ledger.log(entry)
        _log.info("event", event_key=event.key, news=news, opt=decision.opt, cause=decision.cause)
        self._dispatch.request(event.key, news)


def _is_known(stored: StoredEvent, event: GridEvent) -> bool:
    """Whether we have answered this modification, or a newer one, already.

    One that was withdrawn because it was not listed, and is listed again, is in force again.
    """
    known = stored.event
    if event.modification != known.modification:
        return event.modification < known.modification
    return known.cancelled is event.cancelled


def _news(stored: StoredEvent | None, event: GridEvent) -> str:
    if event.cancelled:
        return "cancelled"
    return "new event" if stored is None else f"modification {event.modification}"


def _out(event: GridEvent, cause: str) -> OptDecision:
    return OptDecision(
        event_key=event.key, modification=event.modification, opt=Opt.OUT, cause=cause
    )
