"""What a program's rules and the owners' limits say of an event that has come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.enrolment import Enrolment, OwnerLimits, objections
from gateway.domain.event import GridEvent
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Call, Finding, Program, Rules, findings
from gateway.flows.events.calls import LOOK_BACK, history, new_call
from gateway.ports import Ledger, StoredEvent

OWNER = "the owner's limits"
"""Begins the cause of every opt-out that an owner's limits have made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What speaks for and against an event."""

    found: tuple[Finding, ...] = ()
    objections: Mapping[str, str] = field(default_factory=dict)
    """Why the owner's limits keep a site out, by site."""


class Judge:
    """Reads what the rules need to know: earlier events, and how ready vehicles are."""

    def __init__(self, portfolio: Portfolio, ledger: Ledger) -> None:
        self._portfolio = portfolio
        self._ledger = ledger

    async def verdict(
        self, program: Program, event: GridEvent, stored: StoredEvent | None, now: datetime
    ) -> Verdict:
        """Findings of the program's rules, and objections of the owners; see the domain.

        Raises:
            TransientError: earlier events cannot be read now.
        """
        if event.cancelled:
            return Verdict()
        enrolled = self._portfolio.enrolled(event.program_id, event.window.start)
        limited = {
            site.site_id: enrolled[site.site_id]
            for site in self._portfolio.addressed(event)
            if enrolled[site.site_id].owner != OwnerLimits()
        }
        if program.rules == Rules() and not limited:
            return Verdict()
        call = new_call(self._portfolio, event, stored, now)
        events = await self._ledger.events(ending_after=now - LOOK_BACK)
        calls = history(self._portfolio, event.program_id, events)
        return Verdict(
            found=findings(program, call, calls, now),
            objections={
                site_id: text
                for site_id, one in limited.items()
                if (text := await self._objection(program, one, call, calls, now))
            },
        )

    async def _objection(
        self, program: Program, one: Enrolment, call: Call, calls: Sequence[Call], now: datetime
    ) -> str:
        site = self._portfolio.site(one.site_id)
        if site is None:
            return ""
        mine = [other for other in calls if one.site_id in other.sites]
        ready = None
        if one.owner.min_ready_share is not None:
            ready = await self._ready_share(one.site_id, now)
        said = objections(one.owner, site.time_zone, program, call, mine, ready, now)
        return "; ".join(said)

    async def _ready_share(self, site_id: str, now: datetime) -> float | None:
        """Share of the vehicles still to leave that are on track; None: there are none."""
        coming = [one for one in await self._ledger.readiness(site_id) if one.departure > now]
        return sum(one.on_track for one in coming) / len(coming) if coming else None
