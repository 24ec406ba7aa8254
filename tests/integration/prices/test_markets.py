"""Day-ahead prices over real sockets: on good days, on days clocks are set, and on bad ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.errors import (
    ConfigError,
    LinkDownError,
    PermanentError,
    ProtocolError,
    TransientError,
)
from contracts.testing import FakeClock
from gateway.domain.price.market import market_day
from gateway.ports import BusyError, PriceSource
from gateway.prices.entsoe import EntsoeSource
from gateway.prices.oasis import OasisSource
from support.price_server import entsoe_settings, market, oasis_settings
from vtn_sim.prices.server import PriceServer
from vtn_sim.prices.settings import PriceFault, PriceServerSettings

pytestmark = pytest.mark.row("portfolio:U8")
NOON = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)  # both markets have published

Make = Callable[[str, Path, FakeClock], PriceSource]
KINDS: dict[str, Make] = {
    "entsoe": lambda url, folder, clock: EntsoeSource(entsoe_settings(url, folder), clock),
    "oasis": lambda url, _folder, clock: OasisSource(oasis_settings(url), clock),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def source(
    kind: str, folder: Path, now: datetime = NOON, settings: PriceServerSettings | None = None
) -> AsyncIterator[tuple[PriceSource, PriceServer]]:
    clock = FakeClock(now)
    async with market(clock, settings) as (server, url):
        yield KINDS[kind](url, folder, clock), server


async def test_a_day_has_a_price_at_every_instant(kind: str, tmp_path: Path) -> None:
    async with source(kind, tmp_path) as (one, _):
        window = market_day(date(2026, 11, 27), one.zone)
        said = await one.fetch(window)
    assert said is not None
    assert said.prices.covers(window)
    assert said.prices.currency == {"entsoe": "EUR", "oasis": "USD"}[kind]
    assert {step.source_id for step in said.prices} == {one.source_id}
    assert len(said.prices.steps) == {"entsoe": 96, "oasis": 24}[kind]
    assert min(step.per_kwh for step in said.prices) < 0 < max(step.per_kwh for step in said.prices)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 29), 23),
        (date(2026, 10, 25), 25),
        (date(2026, 3, 8), 23),
        (date(2026, 11, 1), 25),
    ],
)
async def test_days_on_which_clocks_are_set(
    kind: str, tmp_path: Path, day: date, hours: int
) -> None:
    if (kind == "entsoe") != (day in (date(2026, 3, 29), date(2026, 10, 25))):
        hours = 24
    async with source(kind, tmp_path) as (one, _):
        window = market_day(day, one.zone)
        said = await one.fetch(window)
    assert said is not None
    assert window.duration == timedelta(hours=hours)
    assert said.prices.covers(window)


@pytest.mark.parametrize("minutes", [15, 30, 60])
async def test_a_price_per_mwh_is_a_price_per_kwh_to_the_cent(tmp_path: Path, minutes: int) -> None:
    settings = PriceServerSettings.model_validate(
        {"resolution_min": minutes, "base_per_mwh": 54.37, "swing_per_mwh": 0.0}
    )
    async with source("entsoe", tmp_path, settings=settings) as (one, _):
        window = market_day(date(2026, 11, 27), one.zone)
        said = await one.fetch(window)
    assert said is not None
    prices = {step.per_kwh for step in said.prices}  # one point a day, all others left out (A03)
    assert prices == {Decimal("0.05837")}  # 54.37 and the 4.00 of a Friday
    assert len(said.prices.steps) == 24 * 60 // minutes


async def test_tomorrow_comes_when_it_is_published(kind: str, tmp_path: Path) -> None:
    early = datetime(2026, 11, 27, 11, 44, tzinfo=UTC)
    async with source(kind, tmp_path, early) as (one, _):
        assert await one.fetch(market_day(date(2026, 11, 28), one.zone)) is None


async def test_a_publication_that_is_late(kind: str, tmp_path: Path) -> None:
    async with source(kind, tmp_path) as (one, server):
        tomorrow = market_day(date(2026, 11, 28), one.zone)
        server.faults = {PriceFault.LATE}
        assert await one.fetch(tomorrow) is None
        server.faults = set()
        said = await one.fetch(tomorrow)
    assert said is not None
    assert said.prices.covers(tomorrow)


async def test_hours_that_are_missing_are_gaps(kind: str, tmp_path: Path) -> None:
    async with source(kind, tmp_path) as (one, server):
        server.faults = {PriceFault.GAP}
        window = market_day(date(2026, 11, 27), one.zone)
        said = await one.fetch(window)
    assert said is not None
    (gap,) = said.prices.gaps(window)
    assert (gap.start.astimezone(one.zone).hour, gap.duration) == (10, timedelta(hours=3))


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (PriceFault.BUSY, BusyError, "429"),
        (PriceFault.DOWN, BusyError, "503"),
        (PriceFault.MALFORMED, ProtocolError, "no"),
        (PriceFault.HUGE, ProtocolError, "more than"),
        (PriceFault.REFUSED, PermanentError, "not valid|Invalid node"),
    ],
)
async def test_what_goes_wrong_says_what_to_do(
    kind: str, tmp_path: Path, fault: PriceFault, error: type[Exception], words: str
) -> None:
    async with source(kind, tmp_path) as (one, server):
        server.faults = {fault}
        with pytest.raises(error, match=words):
            await one.fetch(market_day(date(2026, 11, 27), one.zone))


async def test_a_busy_platform_says_when_to_come_again(kind: str, tmp_path: Path) -> None:
    async with source(kind, tmp_path) as (one, server):
        server.faults = {PriceFault.BUSY}
        with pytest.raises(BusyError) as told:
            await one.fetch(market_day(date(2026, 11, 27), one.zone))
    assert told.value.wait_s == 7


async def test_nobody_listens(kind: str, tmp_path: Path) -> None:
    one = KINDS[kind]("http://127.0.0.1:9", tmp_path, FakeClock(NOON))
    with pytest.raises(LinkDownError, match="ConnectError"):
        await one.fetch(market_day(date(2026, 11, 27), one.zone))
    assert issubclass(LinkDownError, TransientError)


async def test_a_wrong_token_is_told_and_stands_in_no_message(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    async with market(clock) as (_, url):
        one = EntsoeSource(entsoe_settings(url, tmp_path, token="wrong-secret"), clock)
        with pytest.raises(PermanentError, match="check the token") as told:
            await one.fetch(market_day(date(2026, 11, 27), one.zone))
    assert "wrong-secret" not in str(told.value)


async def test_a_token_that_is_missing_is_a_clear_mistake(tmp_path: Path) -> None:
    settings = entsoe_settings("http://127.0.0.1:9", tmp_path)
    settings.token_file.unlink()
    with pytest.raises(ConfigError, match="token cannot be read"):
        await EntsoeSource(settings, FakeClock(NOON)).fetch(
            market_day(date(2026, 11, 27), settings.time_zone)
        )
