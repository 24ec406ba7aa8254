"""Taking a site out of a utility's control, and back in: who did it and why is written down."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from contracts.errors import PermanentError
from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.ports import ControlSource, JournalEntry, Ledger, SiteControl

_log = structlog.get_logger(__name__)


class Controls:
    """Controls of all utilities that impose limits by control rather than by event."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        sources: Sequence[ControlSource],
        clock: Clock,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._sources = {source.utility_id: source for source in sources}
        self._clock = clock

    def of_site(self, site_id: str) -> Sequence[SiteControl]:
        """What binds a site or will, by utility, then by time."""
        return [one for source in self._sources.values() for one in source.controls(site_id)]

    async def choose(
        self, utility_id: str, control_id: str, site_id: str, cause: str, *, out: bool
    ) -> bool:
        """Take a site out of one control, or back in; False when it was so already.

        Raises:
            PermanentError: the utility, the site or the control is unknown or over, or nobody may
                opt out of it.
            TransientError: it cannot be done right now.
        """
        source = self._sources.get(utility_id)
        if source is None:
            raise PermanentError(f"utility {utility_id!r} has no controls")
        if self._portfolio.site(site_id) is None:
            raise PermanentError(f"there is no site {site_id!r}")
        if not await source.choose(control_id, site_id, out=out):
            return False
        now, what = self._clock.now(), "opted out" if out else "opted in"
        key = f"{utility_id}/{control_id}"
        await self._ledger.log(
            JournalEntry(at=now, subject=key, action=f"{site_id}: {what}", cause=cause),
            JournalEntry(at=now, subject=site_id, action=f"{key}: {what}", cause=cause),
        )
        _log.info("control_choice", control=key, site=site_id, choice=what, cause=cause)
        return True
