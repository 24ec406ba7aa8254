"""A site that follows a market pays the prices that were in force, also long after they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link.points import PCC_POWER_W, evse_power_w
from contracts.site_link.sessions import EndedSession
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.accounts.bill import Component
from gateway.domain.accounts.month import Month
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.price.markup import Markup
from gateway.flows.accounts.desk import Accounts
from gateway.flows.prices.past import PastPrices
from gateway.flows.prices.sites import Follow
from gateway.flows.prices.watch import PriceWatch
from gateway.prices.account_settings import AccountSettings
from gateway.store.database import Database
from gateway.store.prices import SqlPrices
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots
from gateway.store.telemetry import SqlTelemetry
from support.gateway_store import batch
from support.price_bench import Source

pytestmark = [pytest.mark.row("mv:M8"), pytest.mark.row("portfolio:U8")]

BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = Month.parse("2026-10")
CHARGING = datetime(2026, 10, 7, 18, tzinfo=UTC)
HOUR, HOLD = timedelta(hours=1), timedelta(minutes=5)
TARIFF = """
name: by the hour
currency: EUR
time_zone: Europe/Berlin
energy: [{name: own, prices: [{at: "00:00", per_kwh: 0.40}]}]
dynamic: {factor: 2}
"""


@pytest.fixture
def database() -> Iterator[Database]:
    kept = Database.in_memory()
    yield kept
    kept.close()


@asynccontextmanager
async def running(watch: PriceWatch) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        yield
        task.cancel()


async def day_ahead(database: Database, at: datetime, price: str, hours: float = 40) -> None:
    """The gateway looks once at that time; its source names one price for so many hours."""
    clock = FakeClock(at)
    source = Source(clock)
    source.known_until, source.price = at + hours * HOUR, Decimal(price)
    watch = PriceWatch((source,), SqlPrices(database), clock, timedelta(minutes=5), lambda: 0.0)
    await watch.restore()
    async with running(watch):
        await clock.advance(1.0)
    assert not watch.states()[0].failure


async def accounts(database: Database, folder: Path) -> Accounts:
    """The site drew 10 kW from 18:00 to 20:00 UTC on the 7th, all into a van."""
    telemetry = SqlTelemetry(database, max_hold=HOLD)
    for point in (PCC_POWER_W, evse_power_w("evse-1")):
        steps = StepSeries.of([(Interval.lasting(CHARGING, 2 * HOUR), 10_000.0)])
        await telemetry.insert_history("depot-1", point, steps, "made for a test")
    van = EndedSession(
        at=CHARGING + 2 * HOUR,
        session_id="1",
        evse_id="evse-1",
        vehicle_id="van-1",
        started_at=CHARGING,
        ended_at=CHARGING + 2 * HOUR,
        energy_wh=20_000.0,
        quality=Quality.GOOD,
    )
    await telemetry.ingest(batch((1, van)), van.at)
    (folder / "tariff.yaml").write_text(TARIFF)
    settings = AccountSettings.model_validate(
        {"of": [{"sites": ["depot-1"], "tariff": str(folder / "tariff.yaml")}]}
    )
    markup = Markup(adder_per_kwh=Decimal("0.05"), tax_pct=Decimal(20))
    follow = Follow(site_id="depot-1", sources=("nl",), markup=markup)
    site = Site(site_id="depot-1", name="Depot", time_zone=BERLIN, import_limit_w=1e5)
    return Accounts(
        Portfolio(sites=(site,)),
        SqlSlots(database, max_hold=HOLD),
        SqlSessionBook(database),
        telemetry,
        FakeClock(datetime(2026, 12, 1, tzinfo=UTC)),
        tariffs=settings.tariffs(PastPrices((follow,), SqlPrices(database)).of),
        intensities={},
    )


async def test_a_session_costs_what_the_market_said_then(
    database: Database, tmp_path: Path
) -> None:
    told = CHARGING.replace(hour=8)
    await day_ahead(database, told, "0.10")
    await day_ahead(database, told + 20 * 24 * HOUR, "0.90")  # by then the first is forgotten
    paid = (await (await accounts(database, tmp_path)).of("depot-1", OCTOBER)).bill
    assert paid is not None
    [line] = [one for one in paid.lines if one.component is Component.ENERGY]
    each = Decimal(2) * (Decimal("0.10") + Decimal("0.05")) * Decimal("1.2")  # 0.36
    assert (line.name, line.source) == ("market", "price source nl, NL")
    assert [float(line.quantity), float(line.amount)] == pytest.approx([20.0, float(20 * each)])
    assert line.as_of == told + 20 * 24 * HOUR  # of the month's prices the newest word
    assert float(paid.sessions[0].energy) == pytest.approx(float(20 * each))
    assert paid.without_market_wh == 0.0


async def test_hours_without_a_price_are_priced_by_the_tariff_and_told(
    database: Database, tmp_path: Path
) -> None:
    await day_ahead(database, CHARGING - 8 * HOUR, "0.10", hours=9)
    found = await (await accounts(database, tmp_path)).of("depot-1", OCTOBER)
    paid = found.bill
    assert paid is not None
    lines = {one.name: one for one in paid.lines if one.component is Component.ENERGY}
    kwh = {name: float(one.quantity) for name, one in lines.items()}
    assert kwh == pytest.approx({"market": 10.0, "own": 10.0})
    assert float(lines["own"].amount) == pytest.approx(4.0)
    assert lines["own"].source == "by the hour"
    assert paid.without_market_wh == pytest.approx(10_000.0)
    assert any(
        "10.0 kWh were imported while no price of the market" in one for one in found.remarks
    )
