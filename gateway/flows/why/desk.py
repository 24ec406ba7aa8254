"""Why: facts about events, sites and instructions, as they were at an instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from contracts.errors import PermanentError
from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.domain.why import (
    Answer,
    InstructionFacts,
    why_event,
    why_instruction,
    why_site,
)
from gateway.flows.prices.desk import PriceDesk
from gateway.flows.why.events import EventBooks
from gateway.flows.why.sites import LiveView, SiteBooks
from gateway.flows.why.told import told_by
from gateway.ports import DeliveryMemory, Ledger, SiteControl, StoredInstruction


class WhyDesk:
    """Answers for pages, API and command line.

    About the past it knows what was stored: events, plans, instructions, the journal. How a site
    was connected, and what was thought of its delivery, is kept for the present only.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        delivery: DeliveryMemory,
        live: LiveView,
        clock: Clock,
        *,
        controls: Callable[[str], Sequence[SiteControl]],
        prices: PriceDesk | None = None,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._clock = clock
        self._events = EventBooks(portfolio, ledger, delivery)
        self._sites = SiteBooks(portfolio, ledger, delivery, live, controls, prices)

    async def event(
        self, event_key: str, at: datetime | None = None, zone: tzinfo | None = None
    ) -> Answer | None:
        """Why an event stands as it does; None: nothing was ever heard of it (by then).

        Raises:
            PermanentError: `at` is yet to come.
        """
        now, past = self._when(at)
        facts = await self._events.facts(event_key, now, zone, past=past)
        return None if facts is None else why_event(facts)

    async def site(
        self, site_id: str, at: datetime | None = None, zone: tzinfo | None = None
    ) -> Answer | None:
        """Why a site is told what it is told; None: there is no such site.

        Raises:
            PermanentError: `at` is yet to come.
        """
        now, past = self._when(at)
        site = self._portfolio.site(site_id)
        if site is None:
            return None
        return why_site(await self._sites.facts(site, now, zone or site.time_zone, past=past))

    async def instruction(
        self, instruction_id: str, at: datetime | None = None, zone: tzinfo | None = None
    ) -> Answer | None:
        """Why a site was told this; None: there is no such instruction (by then).

        Raises:
            PermanentError: `at` is yet to come.
        """
        now, _ = self._when(at)
        found = await self._ledger.instruction(instruction_id)
        if found is None or found.instruction.issued_at > now:
            return None
        site = self._portfolio.site(found.instruction.site_id)
        shown_in = zone or (site.time_zone if site is not None else now.tzinfo)
        assert shown_in is not None  # noqa: S101 (instants are aware)
        return why_instruction(await self._instruction_facts(found, now, shown_in))

    async def _instruction_facts(
        self, found: StoredInstruction, now: datetime, zone: tzinfo
    ) -> InstructionFacts:
        one, key = found.instruction, found.event_key
        stored = await self._ledger.event(key)
        program = None if stored is None else self._portfolio.program_of(stored.event)
        plans = await self._ledger.plans(key)
        later = [
            other
            for other in await self._ledger.instructions(key)
            if other.instruction.site_id == one.site_id
            and other.instruction.site_seq > one.site_seq
            and other.instruction.issued_at <= now
        ]
        following = min(later, key=lambda other: other.instruction.site_seq, default=None)
        return InstructionFacts(
            told=told_by(found, now),
            now=now,
            zone=zone,
            event=None if stored is None else stored.event,
            program_name="" if program is None else program.name,
            plan=next((p for p in plans if p.revision == found.revision), None),
            newer=None if following is None else told_by(following, now),
        )

    def _when(self, at: datetime | None) -> tuple[datetime, bool]:
        now = self._clock.now()
        if at is not None and at > now:
            raise PermanentError("that time is yet to come")
        return at or now, at is not None
