"""What is known of a site at an instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from contracts.power import kw_from_watts
from contracts.site_link import points
from gateway.domain.candidates import conditions
from gateway.domain.operating_envelope import EnvelopeStep
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.why import Enrolled, Out, SiteEvent, SiteFacts
from gateway.domain.words import kw, span
from gateway.flows.prices.desk import PriceDesk
from gateway.flows.sites.live import LiveSite, LiveSnapshot
from gateway.flows.why.events import as_of, noted
from gateway.flows.why.told import told_by
from gateway.ports import DeliveryMemory, Ledger, SiteControl, StoredEvent


class LiveView(Protocol):
    """The present (`gateway.flows.sites.live.Live`)."""

    def snapshot(self) -> LiveSnapshot:
        """Every site."""
        ...


class SiteBooks:
    """Reads the ledger, the present and the prices about sites."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        delivery: DeliveryMemory,
        live: LiveView,
        controls: Callable[[str], Sequence[SiteControl]],
        prices: PriceDesk | None,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._delivery = delivery
        self._live = live
        self._controls = controls
        self._prices = prices

    async def facts(self, site: Site, now: datetime, zone: tzinfo, *, past: bool) -> SiteFacts:
        """What was known by `now`.

        Raises:
            TransientError: the ledger cannot be read now.
        """
        site_id = site.site_id
        live = None if past else self._present(site_id)
        standings = () if past else await self._delivery.standings()
        events = await self._open_events(site, now)
        return SiteFacts(
            site=site,
            now=now,
            zone=zone,
            online=None if live is None else live.online,
            heard_at=None if live is None else live.heard_at,
            health="" if live is None else _health(live),
            load="" if live is None else _load(live, now),
            offer="" if past else await self._offer(site_id, now),
            told=[told_by(one, now) for one in await self._ledger.told(site_id, now)],
            imposed=() if past else await self._imposed(site_id, now),
            price=self._price(site_id, now),
            events=[one for one, _ in events],
            standing=next((one for one in standings if one.site_id == site_id), None),
            out=[out for _, gone in events for out in gone],
            controls=() if past else [(_name(c), c.asks) for c in self._controls(site_id)],
            enrolments=self._enrolments(site_id, now),
            journal=noted(await self._ledger.journal(site_id), now),
        )

    def _present(self, site_id: str) -> LiveSite | None:
        sites = self._live.snapshot().sites
        return next((one for one in sites if one.site.site_id == site_id), None)

    async def _open_events(
        self, site: Site, now: datetime
    ) -> list[tuple[SiteEvent, Sequence[Out]]]:
        """Events that were not over and address the site, and whether it was taken out of them."""
        return [
            await self._event(stored, site.site_id, now)
            for stored in await self._ledger.events(ending_after=now)
            if stored.notified_at <= now and site in self._portfolio.addressed(stored.event)
        ]

    async def _event(
        self, stored: StoredEvent, site_id: str, now: datetime
    ) -> tuple[SiteEvent, Sequence[Out]]:
        key = stored.event.key
        stored = as_of(stored, noted(await self._ledger.journal(key), now))
        program = self._portfolio.program_of(stored.event)
        plans = [p for p in await self._ledger.plans(key) if p.created_at <= now]
        gone = [
            Out(event_key=key, site_id=site_id, at=one.at, cause=one.cause)
            for one in await self._ledger.opt_outs(key)
            if one.site_id == site_id and one.at <= now
        ]
        event = SiteEvent(
            event=stored.event,
            program_name="" if program is None else program.name,
            decision=stored.decision,
            allocation=plans[-1].allocation(site_id) if plans else None,
        )
        return event, gone

    async def _imposed(self, site_id: str, now: datetime) -> list[tuple[str, EnvelopeStep]]:
        every = [one.envelope for one in await self._ledger.envelopes()]
        mine = [(one.utility_id, one.at(now)) for one in every if one.site_id == site_id]
        return [(utility_id, step) for utility_id, step in mine if step is not None]

    async def _offer(self, site_id: str, now: datetime) -> str:
        offer = await self._ledger.offer(site_id)
        if offer is None:
            return "it has told no offer"
        current = [slot for slot in offer.slots if slot.start <= now]
        age = span(now - offer.at)
        if not current:
            return f"told {age} ago, for later"
        slot = max(current, key=lambda one: one.start)
        return f"{kw(slot.down_w)} less of {kw(slot.expected_w)} expected, told {age} ago"

    def _price(self, site_id: str, now: datetime) -> str:
        found = None if self._prices is None else self._prices.of_site(site_id)
        if found is None:
            return ""
        prices, _ = found
        step = next((s for s in prices.steps if s.start <= now < s.end), None)
        if step is None:
            return "it follows prices; none is known for this time"
        price = f"{step.per_kwh:f} {prices.currency}/kWh"
        return f"{price}, {step.quality.value}, from {step.source_id}"

    def _enrolments(self, site_id: str, now: datetime) -> list[Enrolled]:
        found = []
        for one in self._portfolio.enrolments:
            program = self._portfolio.program(one.program_id, now)
            if one.site_id != site_id or program is None:
                continue
            found.append(
                Enrolled(
                    program_name=program.name,
                    enrolment=one,
                    in_force=site_id in self._portfolio.enrolled(one.program_id, now),
                    conditions=conditions(self._portfolio, program, one, None, now),
                )
            )
        return found


def _name(control: SiteControl) -> str:
    out = ", opted out" if control.opted_out else ""
    return f"{control.utility_id}/{control.control_id}{out}"


def _health(live: LiveSite) -> str:
    health = live.health
    if health is None:
        return f"version {live.agent_version}" if live.agent_version else ""
    mode = f", mode {health.mode}" if health.mode else ""
    gap = f"; last gap: {health.last_gap}" if health.last_gap else ""
    return f"version {health.agent_version}{mode}, {health.waiting_rows} rows waiting{gap}"


def _load(live: LiveSite, now: datetime) -> str:
    found = live.readings.get(points.PCC_POWER_W)
    if found is None or found.value is None:
        return "not measured"
    return f"{kw_from_watts(found.value):.1f} kW, {span(now - found.at)} ago"
