"""The peaks a demand charge is checked by, beside a loop over every interval of the month.

The loop knows nothing of the code it judges: it asks each instant what its clock on the wall shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.accounts.demand import audits
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.accounts.month import Month
from gateway.prices.bill_file import BillFile

pytestmark = pytest.mark.row("mv:M8")

SLOT = timedelta(minutes=5)
MONTHS = ("2026-02", "2026-03", "2026-04", "2026-10", "2026-11", "2026-12", "2028-02")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Adelaide", "Asia/Kolkata", "UTC")
CLOCKS = [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 15, 30)]


@dataclass(frozen=True)
class Case:
    month: str
    zone: str
    from_: str
    to: str
    days: str
    interval_min: int
    rolling: bool
    billing_day: int
    seed: int

    def file(self) -> BillFile:
        charge = {"name": "x", "per_kw": "3", "days": self.days, "from": self.from_, "to": self.to}
        return BillFile.model_validate(
            {
                "name": "test",
                "currency": "EUR",
                "time_zone": self.zone,
                "energy": [{"name": "all", "prices": [{"at": "00:00", "per_kwh": "0.2"}]}],
                "demand": [charge],
                "demand_interval_min": self.interval_min,
                "rolling": self.rolling,
                "billing_day": self.billing_day,
            }
        )

    def counts(self, at: datetime) -> bool:
        """By what the wall shows."""
        wall = at.astimezone(ZoneInfo(self.zone))
        weekend = wall.strftime("%a") in ("Sat", "Sun")
        if self.days != "all" and weekend != (self.days == "weekends"):
            return False
        shown = wall.strftime("%H:%M")
        if self.from_ < self.to:
            return self.from_ <= shown < self.to
        return shown >= self.from_ or shown < self.to


cases = st.builds(
    Case,
    month=st.sampled_from(MONTHS),
    zone=st.sampled_from(ZONES),
    from_=st.sampled_from(CLOCKS),
    to=st.sampled_from([*CLOCKS, "24:00"]),
    days=st.sampled_from(["all", "weekdays", "weekends"]),
    interval_min=st.sampled_from([15, 30, 60]),
    rolling=st.booleans(),
    billing_day=st.sampled_from([1, 15, 28]),
    seed=st.integers(0, 999),
)


def highest(case: Case, window: Interval, import_wh: Numbers) -> tuple[datetime, float] | None:
    """Begin and mean W of the highest interval, the first of several; by plain loops."""
    lasting = timedelta(minutes=case.interval_min)
    step = SLOT if case.rolling else lasting
    best: tuple[datetime, float] | None = None
    at, end = window.start, window.end or window.start
    while at + lasting <= end:
        if case.counts(at):
            first = int((at - window.start) / SLOT)
            wh = 0.0
            for slot in range(first, first + int(lasting / SLOT)):
                wh += float(import_wh[slot])
            mean_w = wh / (case.interval_min / 60.0)
            if best is None or mean_w > best[1] + 1e-6:
                best = at, mean_w
        at += step
    return best


def clocks_set(grid: SlotGrid, zone: ZoneInfo) -> list[int]:
    """The first slots of other offsets."""
    offsets = [grid.slot(n).start.astimezone(zone).utcoffset() for n in range(grid.count)]
    return [n for n in range(1, grid.count) if offsets[n] != offsets[n - 1]]


def check(case: Case) -> None:
    window = Month.parse(case.month).window(ZoneInfo(case.zone), case.billing_day)
    grid = SlotGrid(window=window, step=SLOT)
    chance = np.random.default_rng(case.seed)
    # Whole Wh, so that no sum is rounded; highest around the hour in which clocks are set.
    import_wh = chance.integers(0, 2_000, grid.count).astype(np.float64)
    import_wh[chance.integers(0, grid.count, 40)] *= 20
    for slot in clocks_set(grid, ZoneInfo(case.zone)):
        import_wh[max(0, slot - 48) : slot + 48] *= 40
    [found] = audits(case.file().terms(window), grid, import_wh, np.full(grid.count, 300.0))
    wanted = highest(case, window, import_wh)
    if wanted is None:
        assert found.peaks == ()
        assert found.amount == 0
        return
    assert found.peaks[0].interval.start == wanted[0]
    assert found.peaks[0].mean_w == pytest.approx(wanted[1])
    assert float(found.amount) == pytest.approx(3.0 * wanted[1] / 1000.0)
    assert found.sure


@settings(max_examples=40)
@given(cases)
def test_the_peak_is_the_one_a_plain_loop_finds(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("month", ["2026-03", "2026-10", "2026-11"])
@pytest.mark.parametrize(
    ("from_", "to"),
    [("01:30", "02:30"), ("02:30", "04:00"), ("02:00", "03:00"), ("23:00", "02:30")],
)
@pytest.mark.parametrize("rolling", [False, True])
def test_in_the_night_in_which_clocks_are_set(
    zone: str, month: str, from_: str, to: str, rolling: bool
) -> None:
    for seed in range(3):
        check(Case(month, zone, from_, to, "weekends", 15, rolling, 1, seed))
