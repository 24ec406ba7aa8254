"""Market prices at a site: kept, replaced by newer ones, over when their time is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.days import Days
from contracts.errors import TransientError
from contracts.series import StepSeries
from contracts.site_link.prices import PricedStep, Prices
from contracts.testing import FakeClock
from site_agent.domain.horizon import Horizon
from site_agent.domain.tariff.tariff import Dynamic, EnergySchedule, PriceStep, Tariff
from site_agent.flows.orders.market import PRICES_KEY, MarketPrices
from site_agent.store.memory import MemoryKeyValues

pytestmark = pytest.mark.row("portfolio:A13")
T = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIXED = Tariff(
    name="t",
    currency="EUR",
    zone=ZoneInfo("UTC"),
    energy=(EnergySchedule(name="all", days=Days(), steps=(PriceStep(minute=0, per_kwh=0.3),)),),
)
DYNAMIC = replace(FIXED, dynamic=Dynamic())


def prices(prices_id: str = "p1", *, issued_at: datetime = T, currency: str = "EUR") -> Prices:
    steps = tuple(
        PricedStep(start=T + hour * HOUR, end=T + (hour + 1) * HOUR, per_kwh=hour / 10)
        for hour in range(4)
    )
    return Prices(
        prices_id=prices_id,
        site_id="depot-1",
        issued_at=issued_at,
        expires_at=T + 4 * HOUR,
        currency=currency,
        area="NL",
        steps=steps,
    )


class Bench:
    def __init__(self, tariff: Tariff | None = DYNAMIC) -> None:
        self.clock, self.memory, self.woken = FakeClock(T), MemoryKeyValues(), 0
        self.market = MarketPrices(tariff, self.memory, self.clock)
        self.market.on_change(self.wake)

    def wake(self) -> None:
        self.woken += 1


async def test_prices_are_kept_and_the_plan_is_made_anew() -> None:
    bench = Bench()
    assert bench.market.prices_id() == ""
    assert (await bench.market.receive(prices())).stored
    assert (await bench.market.receive(prices())).stored  # the answer was lost: sent again
    assert bench.woken == 1
    assert bench.market.prices_id() == "p1"
    series = bench.market.series()
    assert series is not None
    assert [one.value for one in series] == [0.0, 0.1, 0.2, 0.3]
    assert bench.market.id_of(series) == "p1"
    assert bench.market.id_of(None) == ""


async def test_the_tariff_holds_again_when_their_time_is_over() -> None:
    bench = Bench()
    await bench.market.receive(prices())
    horizon = Horizon(start=T, count=24)

    def paid() -> list[float]:
        return [float(one) for one in DYNAMIC.import_per_kwh(horizon, bench.market.series())]

    assert paid() == [0.0] * 4 + [0.1] * 4 + [0.2] * 4 + [0.3] * 12  # the tariff where none is
    await bench.clock.advance(4 * HOUR.total_seconds())
    assert bench.market.series() is None
    assert bench.market.prices_id() == ""
    assert paid() == [0.3] * 24


async def test_prices_are_there_after_a_restart() -> None:
    bench = Bench()
    await bench.market.receive(prices())
    again = MarketPrices(DYNAMIC, bench.memory, bench.clock)
    await again.load()
    assert again.prices_id() == "p1"
    assert again.series() == bench.market.series()


@pytest.mark.parametrize("kept", ["", "{", '{"kind":"welcome"}', "\x00"])
async def test_what_was_kept_and_makes_no_sense_is_left(kept: str) -> None:
    bench = Bench()
    await bench.memory.put(PRICES_KEY, kept)
    await bench.market.load()
    assert bench.market.series() is None


async def test_of_two_the_one_issued_later_holds() -> None:
    bench = Bench()
    await bench.market.receive(prices("new", issued_at=T + HOUR))
    answer = await bench.market.receive(prices("old"))
    assert (answer.stored, bench.market.prices_id()) == (False, "new")
    assert "newer ones are held" in answer.reason
    await bench.clock.advance(4 * HOUR.total_seconds())  # nothing is held: a clock was set back
    assert (await bench.market.receive(prices("old"))).stored


async def test_prices_are_withdrawn_by_none() -> None:
    bench = Bench()
    await bench.market.receive(prices())
    assert (await bench.market.receive(replace(prices("none", currency="XXX"), steps=()))).stored
    assert (bench.market.series(), bench.market.prices_id(), bench.woken) == (None, "", 2)


@pytest.mark.parametrize(
    ("tariff", "sent", "words"),
    [
        (None, prices(), "no market prices"),
        (FIXED, prices(), "give it `dynamic`"),
        (DYNAMIC, prices(currency="SEK"), "in SEK, but the tariff is in EUR"),
        (DYNAMIC, replace(prices(), steps=prices().steps * 2), "contradict"),
        (
            DYNAMIC,
            replace(prices(), steps=(PricedStep(start=T, end=T - HOUR, per_kwh=0.1),)),
            "contradict",
        ),
    ],
    ids=["no tariff", "a fixed tariff", "another currency", "two at once", "backwards"],
)
async def test_prices_that_cannot_be_followed_are_refused(
    tariff: Tariff | None, sent: Prices, words: str
) -> None:
    bench = Bench(tariff)
    answer = await bench.market.receive(sent)
    assert not answer.stored
    assert words in answer.reason
    assert bench.market.series() is None
    assert (bench.market.prices_id() is None) == (tariff is None or tariff.dynamic is None)


class FullDisk(MemoryKeyValues):
    async def put(self, key: str, value: str) -> None:
        raise TransientError("the disk is full")


async def test_what_cannot_be_stored_is_not_acknowledged() -> None:
    bench = Bench()
    market = MarketPrices(DYNAMIC, FullDisk(), bench.clock)
    with pytest.raises(TransientError):
        await market.receive(prices())
    assert market.series() is None


def test_no_series_of_ours_has_no_id() -> None:
    assert Bench().market.id_of(StepSeries()) == ""
