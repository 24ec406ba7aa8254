"""Events come in: decide, store, write down why, and have dispatch look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from gateway.domain.changes import changes_in_words
from gateway.domain.event import Decider, EventStatus, GridEvent, Opt, OptDecision
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import decide_opt, in_words
from gateway.flows.events.judging import OWNER, Judge, Verdict
from gateway.ports import JournalEntry, Ledger, SiteChoice, StoredEvent

_log = structlog.get_logger(__name__)
OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


class Planner(Protocol):
    """Who looks at events once they are stored (`gateway.flows.dispatch.worker.Dispatch`)."""

    def request(self, event_key: str, reason: str = "") -> None:
        """Look at an event soon."""
        ...


class Intake:
    """`gateway.ports.EventIntake`, and the choices of sites."""

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
        if stored is None or stored.event.status(self._clock.now()) in OVER:
            return
        decision = replace(stored.decision, opt=Opt.IN, cause=cause, by=Decider.RULES)
        await self.put(stored.event.cancel(), decision, "cancelled")

    async def note(self, event_key: str, action: str, cause: str) -> None:
        """Write something down about an event; the same twice running is written once."""
        last = [one for one in await self._ledger.journal(event_key) if one.action == action][-1:]
        if [one.cause for one in last] != [cause]:
            now = self._clock.now()
            entry = JournalEntry(at=now, subject=event_key, action=action, cause=cause)
            await self._ledger.log(entry)

    async def put(
        self,
        event: GridEvent,
        decision: OptDecision,
        news: str,
        choices: Sequence[SiteChoice] = (),
        before: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Store an event with our answer and what is written down of it, and have dispatch look.

        `before` are actions and causes that led to the answer.
        """
        now = self._clock.now()
        said = "waiting for a person" if decision.by is Decider.NOBODY else decision.opt.value
        action = news if event.cancelled else f"{news}: {said}"
        entries = [
            JournalEntry(at=now, subject=event.key, action=one, cause=cause)
            for one, cause in (*before, (action, decision.cause))
        ]
        for choice in choices:
            entries += _choice_entries(event.key, choice, now)
        await self._ledger.put_event(event, decision, now, choices, entries)
        _log.info("event", event_key=event.key, news=news, opt=decision.opt, cause=decision.cause)
        self._dispatch.request(event.key, f"{news}: {decision.cause}" if event.cancelled else news)

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take one site out of one event and plan again; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        stored, now = await self._choosable(event_key, site_id), self._clock.now()
        if site_id in stored.opted_out_sites:
            return
        await self._ledger.opt_out_site(event_key, site_id, now, cause)
        await self._chosen(event_key, SiteChoice(site_id=site_id, out=True, cause=cause))

    async def opt_in_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take a site that opted out back into the event; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        stored = await self._choosable(event_key, site_id)
        if site_id not in stored.opted_out_sites:
            return
        await self._ledger.opt_in_site(event_key, site_id)
        await self._chosen(event_key, SiteChoice(site_id=site_id, out=False, cause=cause))

    async def _choosable(self, event_key: str, site_id: str) -> StoredEvent:
        stored = await self._ledger.event(event_key)
        if stored is None:
            raise PermanentError(f"there is no event {event_key!r}")
        if self._portfolio.site(site_id) is None:
            raise PermanentError(f"there is no site {site_id!r}")
        if stored.event.status(self._clock.now()) in OVER:
            raise PermanentError(f"event {event_key!r} is over")
        return stored

    async def _chosen(self, event_key: str, choice: SiteChoice) -> None:
        await self._ledger.log(*_choice_entries(event_key, choice, self._clock.now()))
        what = f"{choice.site_id} {_chose(choice)}: {choice.cause}"
        self._dispatch.request(event_key, what)

    async def _receive(self, event: GridEvent) -> OptDecision:
        stored, now = await self._ledger.event(event.key), self._clock.now()
        if stored is not None and _is_known(stored, event):
            return stored.decision
        if stored is not None and _too_late(stored, event, now):
            return await self._after_the_end(stored, event)
        program, verdict = self._portfolio.program_of(event), Verdict()
        if program is not None:
            verdict = await self._judge.verdict(program, event, stored, now)
        took_part = stored is not None and _took_part(stored, now)
        decision = decide_opt(program, event, now, verdict.found, took_part=took_part)
        if not event.cancelled:
            decision = self._among_sites(event, decision, verdict)
            decision = _as_people_said(stored, decision)
        choices = await self._owners_choices(event, stored, verdict)
        rules = "" if program is None else in_words(program.rules, verdict.found, test=event.test)
        before = [("the program's rules", rules)] if rules and not event.cancelled else []
        if stored is not None and not event.cancelled:
            before.insert(0, ("what changes", changes_in_words(stored.event, event)))
        await self.put(event, decision, _news(stored, event), choices, before)
        return decision

    async def _after_the_end(self, stored: StoredEvent, event: GridEvent) -> OptDecision:
        """What was done cannot be undone: the event stays completed, and its report is made."""
        what = "cancellation" if event.cancelled else f"modification {event.modification}"
        cause = "it came after the end of the event: nothing changes"
        await self.note(event.key, f"{what} too late", cause)
        opt = Opt.IN if event.cancelled else stored.decision.opt
        return replace(stored.decision, modification=event.modification, opt=opt, cause=cause)

    def _among_sites(
        self, event: GridEvent, decision: OptDecision, verdict: Verdict
    ) -> OptDecision:
        """The decision, unless nobody is left to take part."""
        if decision.opt is Opt.OUT:
            return decision
        addressed = {site.site_id for site in self._portfolio.addressed(event)}
        if not addressed:
            return _out(event, "none of the sites enrolled in the program is addressed")
        if addressed <= verdict.objections.keys():
            said = "; ".join(f"{site}: {text}" for site, text in verdict.objections.items())
            return _out(event, f"{OWNER} keep every site out: {said}")
        return decision

    async def _owners_choices(
        self, event: GridEvent, stored: StoredEvent | None, verdict: Verdict
    ) -> Sequence[SiteChoice]:
        """Sites whose owners' limits take them out, and those they no longer keep out."""
        out = stored.opted_out_sites if stored else frozenset()
        found = [
            SiteChoice(site_id=site_id, out=True, cause=f"{OWNER}: {text}")
            for site_id, text in verdict.objections.items()
            if site_id not in out
        ]
        for one in await self._ledger.opt_outs(event.key) if out else ():
            if one.cause.startswith(OWNER) and one.site_id not in verdict.objections:
                cause = f"{OWNER} allow it as it stands now"
                found.append(SiteChoice(site_id=one.site_id, out=False, cause=cause))
        return found


def _is_known(stored: StoredEvent, event: GridEvent) -> bool:
    """Whether we have answered this modification, or a newer one, already.

    One that was withdrawn because it was not listed, and is listed again, is in force again.
    """
    known = stored.event
    if event.modification != known.modification:
        return event.modification < known.modification
    return known.cancelled is event.cancelled


def _too_late(stored: StoredEvent, event: GridEvent, now: datetime) -> bool:
    """Whether an event that is over would be changed after the fact."""
    over = event.cancelled or event.status(now) is EventStatus.COMPLETED
    return over and stored.event.status(now) is EventStatus.COMPLETED


def _took_part(stored: StoredEvent, now: datetime) -> bool:
    running = stored.event.status(now) is EventStatus.ACTIVE
    return running and stored.decision.opt is Opt.IN


def _as_people_said(stored: StoredEvent | None, decision: OptDecision) -> OptDecision:
    """A person's refusal stands over modifications; an acceptance is asked for anew."""
    if stored is None or stored.decision.by is not Decider.PERSON:
        return decision
    before = stored.decision
    if before.opt is Opt.OUT:
        return replace(decision, opt=Opt.OUT, cause=before.cause, by=Decider.PERSON)
    if decision.opt is Opt.OUT:
        cause = f"{decision.cause}; modification {before.modification} was accepted by a person"
        return replace(decision, cause=cause, by=Decider.NOBODY)
    return decision


def _news(stored: StoredEvent | None, event: GridEvent) -> str:
    if event.cancelled:
        return "cancelled"
    return "new event" if stored is None else f"modification {event.modification}"


def _out(event: GridEvent, cause: str) -> OptDecision:
    return OptDecision(
        event_key=event.key, modification=event.modification, opt=Opt.OUT, cause=cause
    )


def _chose(choice: SiteChoice) -> str:
    return "opted out" if choice.out else "opted in again"


def _choice_entries(event_key: str, choice: SiteChoice, now: datetime) -> list[JournalEntry]:
    """Under the event and under the site."""
    site_id, what, cause = choice.site_id, _chose(choice), choice.cause
    return [
        JournalEntry(at=now, subject=event_key, action=f"{site_id}: {what}", cause=cause),
        JournalEntry(at=now, subject=site_id, action=f"{event_key}: {what}", cause=cause),
    ]
