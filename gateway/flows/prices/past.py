"""What sites paid by the prices they follow, as far back as anybody has told them."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.time import Interval
from gateway.domain.price.timeline import PriceTimeline
from gateway.flows.prices.sites import Follow
from gateway.ports.prices import PriceHistory


class PastPrices:
    """By the sites' settings of today: the mark-up on past prices is the present one."""

    def __init__(self, follows: Sequence[Follow], history: PriceHistory) -> None:
        self._follows = {one.site_id: one for one in follows}
        self._history = history

    async def of(self, site_id: str, window: Interval) -> Sequence[PriceTimeline] | None:
        """Of each of its sources what is known, by precedence; None: it follows no prices."""
        follow = self._follows.get(site_id)
        if follow is None:
            return None
        found: list[PriceTimeline] = []
        for source_id in follow.sources:
            found += await self._history.history(source_id, window)
        return [follow.markup.on(one) for one in found]
