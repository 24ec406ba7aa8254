"""The account of a month from a real database: what was measured, what was not, and DST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link.points import (
    BATTERY_POWER_W,
    BATTERY_SOC_PCT,
    PCC_POWER_W,
    PV_POWER_W,
    evse_power_w,
)
from contracts.site_link.sessions import EndedSession
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.accounts.account import Account
from gateway.domain.accounts.balance import Source, Use
from gateway.domain.accounts.bearing import total
from gateway.domain.accounts.month import Month
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.accounts.desk import Accounts
from gateway.flows.accounts.reading import evse_of
from gateway.prices.bill_file import FileTerms
from gateway.prices.intensity import ConstantIntensity
from gateway.store.database import Database
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots
from gateway.store.telemetry import SqlTelemetry
from support.gateway_store import batch

pytestmark = pytest.mark.row("mv:M8")

BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = Month.parse("2026-10")
WINDOW = OCTOBER.window(BERLIN)
HOUR = timedelta(hours=1)
HOLD = timedelta(minutes=5)
TARIFF = """
name: two prices
currency: EUR
time_zone: Europe/Berlin
energy:
  - name: every day
    prices: [{at: "00:00", per_kwh: 0.1, name: night}, {at: "06:00", per_kwh: 0.3, name: day}]
demand: [{name: any hour, per_kw: 5}]
customer_per_day: 1
"""


class Bench:
    def __init__(self, folder: Path, now: datetime = datetime(2026, 12, 1, tzinfo=UTC)) -> None:
        self.database = Database.in_memory()
        self.telemetry = SqlTelemetry(self.database, max_hold=HOLD)
        self.clock = FakeClock(now)
        (folder / "tariff.yaml").write_text(TARIFF)
        site = Site(site_id="depot-1", name="Depot", time_zone=BERLIN, import_limit_w=100_000.0)
        self.accounts = Accounts(
            Portfolio(sites=(site,)),
            SqlSlots(self.database, max_hold=HOLD),
            SqlSessionBook(self.database),
            self.telemetry,
            self.clock,
            tariffs={"depot-1": FileTerms(folder / "tariff.yaml")},
            intensities={"depot-1": ConstantIntensity(400.0, "yearly mean")},
        )

    async def level(self, point: str, start: datetime, hours: float, value: float) -> None:
        steps = StepSeries.of([(Interval.lasting(start, hours * HOUR), value)])
        await self.telemetry.insert_history("depot-1", point, steps, "made for a test")

    async def tell(self, *sessions: EndedSession) -> None:
        await self.telemetry.ingest(batch(*enumerate(sessions, 1)), self.clock.now())

    async def account(self) -> Account:
        return await self.accounts.of("depot-1", OCTOBER)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def session(start: datetime, hours: float, evse_id: str = "evse-1") -> EndedSession:
    return EndedSession(
        at=start + hours * HOUR,
        session_id=f"ep-{start:%d%H}",
        evse_id=evse_id,
        vehicle_id="van-7",
        started_at=start,
        ended_at=start + hours * HOUR,
        energy_wh=22_000.0,
        quality=Quality.GOOD,
    )


async def a_month(bench: Bench) -> datetime:
    """A building of 2 kW, a van that takes 11 kW for two hours from 05:00, and some sun."""
    hours = (WINDOW.end or WINDOW.start) - WINDOW.start
    charging = datetime(2026, 10, 7, 5, tzinfo=BERLIN).astimezone(UTC)
    before = (charging - WINDOW.start) / HOUR
    await bench.level(PCC_POWER_W, WINDOW.start, before, 2_000.0)
    await bench.level(PCC_POWER_W, charging, 2, 13_000.0)
    await bench.level(PCC_POWER_W, charging + 2 * HOUR, hours / HOUR - before - 2, 2_000.0)
    await bench.level(evse_power_w("evse-1"), WINDOW.start, before, 0.0)
    await bench.level(evse_power_w("evse-1"), charging, 2, 11_000.0)
    await bench.level(evse_power_w("evse-1"), charging + 2 * HOUR, hours / HOUR - before - 2, 0.0)
    await bench.tell(session(charging, 3))
    return charging


async def test_a_month_of_a_depot(bench: Bench) -> None:
    await a_month(bench)
    found = await bench.account()
    assert found.window == WINDOW
    assert found.window.duration == timedelta(days=31, hours=1)  # clocks go back on the 25th
    assert found.energy_wh[Use.CHARGING] == pytest.approx(22_000.0)
    assert found.energy_wh[Use.BUILDING] == pytest.approx(2_000.0 * (31 * 24 + 1))
    paid = found.bill
    assert paid is not None
    lines = {line.name: line for line in paid.lines}
    # By night 7 hours on the day on which clocks go back, 6 on the other thirty.
    assert lines["night"].quantity == pytest.approx(Decimal(2) * (30 * 6 + 7) + 11)
    assert lines["day"].quantity == pytest.approx(Decimal(2) * 31 * 18 + 11)
    assert lines["any hour"].amount == pytest.approx(Decimal(65))  # 13 kW
    assert lines["fixed"].amount == 31
    [van] = paid.sessions
    assert van.energy == pytest.approx(Decimal("4.40"))  # 11 kWh at 0.10, 11 at 0.30
    assert van.demand == pytest.approx(Decimal(55))  # 11 of 13 kW
    assert (total(paid.sessions) + paid.nobodys).total == pytest.approx(
        paid.uses[Use.CHARGING].total
    )
    assert found.carbon is not None
    assert found.carbon.sessions[0] == pytest.approx(22.0 * 0.4)
    assert [one.share for one in found.coverage] == pytest.approx([1.0, 1.0])
    assert found.remarks == ("part of the history was loaded, not measured: made for a test",)


async def test_gaps_are_told_and_not_filled(bench: Bench) -> None:
    charging = datetime(2026, 10, 7, 5, tzinfo=UTC)
    await bench.level(PCC_POWER_W, WINDOW.start, 24, 2_000.0)
    await bench.level(evse_power_w("evse-1"), charging, 1, 11_000.0)
    await bench.tell(session(charging, 2))
    found = await bench.account()
    pcc = next(one for one in found.coverage if one.point == PCC_POWER_W)
    assert pcc.share == pytest.approx(24 / (31 * 24 + 1))
    assert pcc.gaps == (Interval(start=WINDOW.start + 24 * HOUR, end=WINDOW.end),)
    assert found.sessions[0].coverage == pytest.approx(0.5)
    assert found.energy_wh[Use.BUILDING] == pytest.approx(48_000.0)
    assert found.sources_wh[Source.UNMETERED] == pytest.approx(11_000.0)
    told = " | ".join(found.remarks)
    for words in (
        "97 % of the time at the PCC is not known",
        "11.0 kWh more were metered below the PCC than came in",
        "1 of 1 sessions were measured for less than 95 %",
        "demand intervals were not measured in full",
    ):
        assert words in told


async def test_batteries_and_the_sun(bench: Bench) -> None:
    noon = datetime(2026, 10, 7, 10, tzinfo=UTC)
    await bench.level(PCC_POWER_W, noon, 1, 0.0)
    await bench.level(PV_POWER_W, noon, 1, -10_000.0)
    await bench.level(BATTERY_POWER_W, noon, 1, 10_000.0)
    await bench.level(BATTERY_POWER_W, noon + HOUR, 1, -10_000.0)
    await bench.level(BATTERY_SOC_PCT, noon, 1, 20.0)
    await bench.level(BATTERY_SOC_PCT, noon + HOUR, 1, 70.0)
    await bench.level(evse_power_w("evse-1"), noon + HOUR, 1, 10_000.0)
    await bench.tell(session(noon + HOUR, 1))
    found = await bench.account()
    assert found.session_origin_wh[0][Source.BATTERY] == pytest.approx(10_000.0)
    assert found.cycles is not None
    assert found.cycles.equivalent_full == pytest.approx(0.25)
    assert found.bill is not None
    assert found.bill.sessions[0].energy == 0  # the sun's, by way of the battery


async def test_the_running_month_goes_up_to_now(tmp_path: Path) -> None:
    bench = Bench(tmp_path, WINDOW.start + timedelta(hours=5, minutes=13))
    found = await bench.accounts.of("depot-1")
    assert (found.month, found.whole) == (OCTOBER, False)
    assert found.window.end == WINDOW.start + timedelta(hours=5, minutes=10)
    assert "the month is not over: these are its figures so far" in found.remarks


@pytest.mark.parametrize(
    ("site", "month", "message"),
    [("nowhere", OCTOBER, "no site"), ("depot-1", Month.parse("2027-01"), "has not begun")],
)
async def test_what_cannot_be_answered(bench: Bench, site: str, month: Month, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        await bench.accounts.of(site, month)


@pytest.mark.parametrize(
    ("point", "evse"),
    [
        (evse_power_w("a/b"), "a/b"),
        ("evse/a/limit_w", None),
        (PCC_POWER_W, None),
        ("evse//power_w", ""),
    ],
)
def test_which_evse_a_point_is_of(point: str, evse: str | None) -> None:
    assert evse_of(point) == evse
