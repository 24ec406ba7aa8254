"""What is over is read before anybody asks, and then asked for no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contracts.errors import TransientError
from contracts.site_link.points import PCC_POWER_W
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.accounts.keeping import SlotKeeping
from gateway.flows.accounts.reading import STEP
from gateway.ports.accounts import Slots

pytestmark = pytest.mark.row("mv:M8")

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 5, 10, 3, tzinfo=UTC)


class Reader:
    """Remembers what it was asked for; one site's database is busy at first."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Interval]] = []
        self.busy = {"depot-2"}

    async def points(self, site_id: str) -> Sequence[str]:
        if site_id in self.busy:
            self.busy.remove(site_id)
            raise TransientError("busy")
        return [PCC_POWER_W]

    async def slots(self, site_id: str, _point: str, window: Interval, step: timedelta) -> Slots:
        self.asked.append((site_id, window))
        none = np.zeros((window.duration or step) // step)
        return Slots(above_h=none, below_h=none, seconds=none)


async def test_first_a_month_then_yesterday_and_today() -> None:
    reader, clock = Reader(), FakeClock(NOW)
    sites = tuple(
        Site(site_id=f"depot-{n}", name="", time_zone=BERLIN, import_limit_w=1e5) for n in (1, 2, 3)
    )
    keeping = SlotKeeping(reader, Portfolio(sites=sites), {"depot-1", "depot-2"}, clock)
    end = NOW.replace(minute=0)
    month = Interval(start=datetime(2026, 10, 4, tzinfo=BERLIN), end=end)
    days = Interval(start=datetime(2026, 11, 4, tzinfo=BERLIN), end=end)
    assert (month.duration or STEP) % STEP == timedelta(0)
    await keeping.sweep()
    assert reader.asked == [("depot-1", month)]
    await keeping.sweep()
    assert reader.asked[1:] == [("depot-1", days), ("depot-2", month)]
