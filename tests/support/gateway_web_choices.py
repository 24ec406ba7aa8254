"""What operators choose on the pages, done and remembered: sites opted out, controls declined."""

from __future__ import annotations

from dataclasses import replace

from contracts.errors import PermanentError
from contracts.time import Clock
from gateway.ports import SiteControl
from gateway.store.ledger import SqlLedger


class Actions:
    """Opts a site out in the ledger, as the dispatch flow does, and remembers it."""

    def __init__(self, ledger: SqlLedger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self.done: list[tuple[str, str, str]] = []

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        if site_id == "north-yard" and "refuse" in cause:
            raise PermanentError("this site may not leave the program's test events")
        await self._ledger.opt_out_site(event_key, site_id, self._clock.now(), cause)
        self.done.append((event_key, site_id, cause))

    async def opt_in_site(self, event_key: str, site_id: str, cause: str) -> None:
        await self._ledger.opt_in_site(event_key, site_id)
        self.done.append((event_key, site_id, cause))


class Planner:
    """Takes note of nothing: no plan is made behind the pages."""

    def request(self, event_key: str, reason: str = "") -> None:
        """See `gateway.flows.dispatch.worker.Dispatch`."""


class Controls:
    """Controls of utilities as a test sets them, and the choices made about them."""

    def __init__(self) -> None:
        self.listed: list[SiteControl] = []
        self.done: list[tuple[str, str, str, str, bool]] = []

    def of_site(self, site_id: str) -> list[SiteControl]:
        return [one for one in self.listed if one.site_id == site_id]

    async def choose(
        self, utility_id: str, control_id: str, site_id: str, cause: str, *, out: bool
    ) -> bool:
        (one,) = [c for c in self.of_site(site_id) if c.control_id == control_id]
        if out and one.binding:
            raise PermanentError(one.binding)
        if one.opted_out == out:
            return False
        self.listed = [replace(c, opted_out=out) if c is one else c for c in self.listed]
        self.done.append((utility_id, control_id, site_id, cause, out))
        return True
