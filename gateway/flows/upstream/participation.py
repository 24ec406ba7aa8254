"""Who may be addressed, and who has left an event, for utilities that want to be told."""

from __future__ import annotations

from gateway.domain.portfolio import Portfolio
from gateway.flows.events.intake import Intake
from gateway.ports import EventParticipation, Ledger


class Participants:
    """`gateway.ports.Participation` from the portfolio and the ledger."""

    def __init__(self, portfolio: Portfolio, ledger: Ledger, intake: Intake) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._intake = intake

    @property
    def names(self) -> frozenset[str]:
        """Every site and group a utility may address."""
        sites = self._portfolio.sites
        return frozenset(site.site_id for site in sites).union(*(site.groups for site in sites))

    async def of_event(self, event_key: str) -> EventParticipation | None:
        """Who takes part in an event; None when it is unknown."""
        stored = await self._ledger.event(event_key)
        if stored is None:
            return None
        causes = {one.site_id: one.cause for one in await self._ledger.opt_outs(event_key)}
        return EventParticipation(
            program_id=stored.event.program_id,
            decision=stored.decision,
            addressed=frozenset(s.site_id for s in self._portfolio.addressed(stored.event)),
            out={site_id: causes.get(site_id, "") for site_id in sorted(stored.opted_out_sites)},
        )

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take one site out of one event; see `Intake.opt_out_site`."""
        await self._intake.opt_out_site(event_key, site_id, cause)
