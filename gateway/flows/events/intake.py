"""Events come in: decide, store, write down why, and have dispatch look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from gateway.domain.event import BY_PEOPLE, EventStatus, GridEvent, Opt, OptDecision
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import decide_opt
from gateway.flows.events.judging import OWNER, Judge, Verdict
from gateway.ports import JournalEntry, Ledger, StoredEvent

_log = structlog.get_logger(__name__)
_OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


class Planner(Protocol):
    """Who looks at events once they are stored (`gateway.flows.dispatch.worker.Dispatch`)."""

    def request(self, event_key: str, reason: str = "") -> None:
        """Look at an event soon."""
        ...


class Intake:
    """`gateway.ports.EventIntake`, and the opt-out of a site by a person."""

    def __init__(
        self, portfolio: Portfolio, ledger: Ledger, dispatch: Planner, clock: Clock
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._dispatch = dispatch
        self._clock = clock
        self._judge = Judge(portfolio, ledger)

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

    async def enter(self, event: GridEvent) -> OptDecision:
        """Take in an event that a person or a program of ours tells; twice changes nothing.

        Raises:
            PermanentError: its program is not ours, or takes no events this way.
            TransientError: it could not be stored now.
        """
        program = self._portfolio.program_of(event)
        if program is None or program.utility_id != event.utility_id:
            raise PermanentError(f"no program {event.program_id!r} is in force at its start")
        if event.source not in program.rules.signal.sources:
            ways = ", ".join(sorted(program.rules.signal.sources))
            raise PermanentError(f"program {program.name!r} takes events by: {ways}")
        return await self._receive(event)

    async def cancel_entered(self, event_key: str, cause: str) -> None:
        """Cancel an event that was entered here; one that is cancelled already stays as it is.

        Raises:
            PermanentError: it is unknown, over, or a utility's own.
        """
        stored = await self._ledger.event(event_key)
        if stored is None:
            raise PermanentError(f"there is no event {event_key!r}")
        if stored.event.source not in BY_PEOPLE:
            raise PermanentError(f"event {event_key!r} is the utility's: only it can cancel it")
        if stored.event.status(self._clock.now()) is EventStatus.COMPLETED:
            raise PermanentError(f"event {event_key!r} is over")
        await self.withdraw(event_key, cause)

    async def decide(self, event_key: str, opt: Opt, cause: str) -> None:
        """A person's word on an event, whatever rules and policies have said.

        Raises:
            PermanentError: the event is unknown or over.
        """
        stored = await self._ledger.event(event_key)
        if stored is None:
            raise PermanentError(f"there is no event {event_key!r}")
        if stored.event.status(self._clock.now()) in _OVER:
            raise PermanentError(f"event {event_key!r} is over")
        if stored.decision.opt is not opt:
            decision = replace(stored.decision, opt=opt, cause=cause)
            await self._store(stored.event, decision, "a person has decided")

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
        await self._journal_choice(event_key, site_id, what, cause)
        self._dispatch.request(event_key, f"{site_id} {what}: {cause}")

    async def _journal_choice(self, event_key: str, site_id: str, what: str, cause: str) -> None:
        now = self._clock.now()
        await self._ledger.log(
            JournalEntry(at=now, subject=event_key, action=f"{site_id}: {what}", cause=cause),
            JournalEntry(at=now, subject=site_id, action=f"{event_key}: {what}", cause=cause),
        )

    async def _receive(self, event: GridEvent) -> OptDecision:
        stored, now = await self._ledger.event(event.key), self._clock.now()
        if stored is not None and _is_known(stored, event):
            return stored.decision
        program, verdict = self._portfolio.program_of(event), Verdict()
        if program is not None:
            verdict = await self._judge.verdict(program, event, stored, now)
        decision = decide_opt(program, event, now, verdict.found)
        if decision.opt is Opt.IN and not event.cancelled:
            decision = self._among_sites(event, decision, verdict)
        await self._ledger.put_event(event, decision, now)
        await self._follow_owners(event, stored, verdict)
        await self._told(event, decision, _news(stored, event))
        return decision

    def _among_sites(
        self, event: GridEvent, decision: OptDecision, verdict: Verdict
    ) -> OptDecision:
        """The decision, unless nobody is left to take part."""
        addressed = {site.site_id for site in self._portfolio.addressed(event)}
        if not addressed:
            return _out(event, "none of the sites enrolled in the program is addressed")
        if addressed <= verdict.objections.keys():
            said = "; ".join(f"{site}: {text}" for site, text in verdict.objections.items())
            return _out(event, f"{OWNER} keep every site out: {said}")
        return decision

    async def _follow_owners(
        self, event: GridEvent, stored: StoredEvent | None, verdict: Verdict
    ) -> None:
        """Take sites out whose owners' limits say so; let in again whom they no longer keep out."""
        now, out = self._clock.now(), stored.opted_out_sites if stored else frozenset()
        for site_id, text in verdict.objections.items():
            if site_id not in out:
                cause = f"{OWNER}: {text}"
                await self._ledger.opt_out_site(event.key, site_id, now, cause)
                await self._journal_choice(event.key, site_id, "opted out", cause)
        if not out:
            return
        for one in await self._ledger.opt_outs(event.key):
            if one.cause.startswith(OWNER) and one.site_id not in verdict.objections:
                await self._ledger.opt_in_site(event.key, one.site_id)
                cause = f"{OWNER} allow it as it stands now"
                await self._journal_choice(event.key, one.site_id, "opted in again", cause)

    async def _store(self, event: GridEvent, decision: OptDecision, news: str) -> None:
        await self._ledger.put_event(event, decision, self._clock.now())
        await self._told(event, decision, news)

    async def _told(self, event: GridEvent, decision: OptDecision, news: str) -> None:
        """Write down what was decided, and have dispatch look."""
        entry = JournalEntry(
            at=self._clock.now(),
            subject=event.key,
            action=f"{news}: {decision.opt.value}",
            cause=decision.cause,
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
