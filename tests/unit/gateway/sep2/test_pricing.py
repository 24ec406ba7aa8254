"""Time tariff intervals become price events; each is answered for the device it was for."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from contracts.sep2.resources import (
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    DateTimeInterval,
    EventStatus,
    Link,
    ListLink,
    PriceResponse,
    RateComponent,
    RateComponentList,
    ReadingType,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
)
from contracts.testing import FakeClock
from gateway.domain.event import GridEvent, Opt, SignalKind
from gateway.utility.sep2.event_answers import EventAnswers
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.pricing import Pricing, per_kwh
from support.openadr import RecordingIntake
from support.sep2_acting import (
    T0,
    UTILITY,
    FragileMemory,
    XmlWire,
    device_settings,
    device_view,
    mrid,
    running,
    sep2_settings,
    server_view,
)
from support.sep2_tree_server import TreeServer

HOUR = timedelta(hours=1)


class Tariff(TreeServer):
    """One profile of a component for import and one for export."""

    def __init__(self) -> None:
        super().__init__()
        self.resources["/tp"] = TariffProfileList(
            items=(
                TariffProfile(
                    href="/tp/1",
                    mrid=mrid(1),
                    currency=840,
                    price_power_of_ten_multiplier=-4,
                    primacy=0,
                    rate_code="BEV2",
                    rate_component_list_link=ListLink(href="/tp/1/rc"),
                ),
            )
        )
        self.resources["/tp/1/rc"] = RateComponentList(
            items=tuple(
                RateComponent(
                    href=f"/rc/{name}",
                    mrid=mrid(number),
                    reading_type_link=Link(href=f"/rt/{name}"),
                    time_tariff_interval_list_link=ListLink(href=f"/rc/{name}/tti"),
                )
                for number, name in ((2, "in"), (3, "out"))
            )
        )
        for name, flow in (("in", 1), ("out", 19)):
            self.resources[f"/rt/{name}"] = ReadingType(
                flow_direction=flow, power_of_ten_multiplier=3, uom=72
            )
            self.resources[f"/rc/{name}/tti"] = TimeTariffIntervalList()

    def price(self, number: int, hour: float, price: int | None, **more: object) -> None:
        """One hour's price for import."""
        cti = f"/rc/in/tti/{number:02}:00/cti/{price}"
        fields: dict[str, object] = {
            "href": f"/rc/in/tti/{number:02}:00",
            "mrid": mrid(number),
            "reply_to": "/rsp",
            "response_required": 3,
            "creation_time": T0 - HOUR,
            "event_status": EventStatus(current_status=0, date_time=T0),
            "interval": DateTimeInterval(start=T0 + hour * HOUR, duration=HOUR),
            "consumption_tariff_interval_list_link": ListLink(href=cti),
        }
        one = TimeTariffInterval(**(fields | more))  # type: ignore[arg-type]
        listed = self.resources["/rc/in/tti"]
        assert isinstance(listed, TimeTariffIntervalList)
        kept = tuple(other for other in listed.items if other.mrid != one.mrid)
        self.resources["/rc/in/tti"] = TimeTariffIntervalList(items=(*kept, one))
        blocks = (
            ConsumptionTariffInterval(href=f"{cti}/2", start_value=900, price=9999),
            ConsumptionTariffInterval(href=f"{cti}/1", start_value=0, price=price),
        )
        self.resources[cti] = ConsumptionTariffIntervalList(items=blocks)

    def drop(self, number: int) -> None:
        listed = self.resources["/rc/in/tti"]
        kept = tuple(one for one in listed.items if one.mrid != mrid(number))  # type: ignore[attr-defined]
        self.resources["/rc/in/tti"] = TimeTariffIntervalList(items=kept)


class Bench:
    def __init__(self, *, devices: int = 1) -> None:
        self.settings = sep2_settings(*(device_settings(n + 1) for n in range(devices)), poll_s=60)
        self.clock = FakeClock(T0 - HOUR)
        self.memory = FragileMemory()
        self.server = Tariff()
        self.wire = XmlWire()
        self.intake = RecordingIntake()
        self.view = server_view(
            *(device_view(one, tariff_profiles=("/tp",)) for one in self.settings.devices)
        )

    async def start(self) -> None:
        memory = Sep2Memory(self.memory, UTILITY)
        outbox = Sep2Outbox(memory, self.wire, self.wire, self.clock)
        await outbox.restore()
        self.outbox = outbox
        polled = Polled(self.settings, self.server.transport(self.settings), self.clock)
        answers = EventAnswers("price", PriceResponse, self.settings, outbox)
        self.pricing = Pricing(self.settings, polled, answers, self.intake, memory, self.clock)
        await self.pricing.restore()

    async def look(self, hours: float = 0.02) -> list[GridEvent]:
        """What is handed in then."""
        await self.clock.advance(hours * 3600)
        before = len(self.intake.received)
        work = asyncio.ensure_future(self.pricing.tell(self.view, self.clock.now()))
        while not work.done():
            await self.clock.advance(0.001)
        work.result()
        async with running(self.outbox.run()):
            await self.clock.advance(2)
        return self.intake.received[before:]

    def answers(self) -> list[tuple[int, int, int]]:
        return sorted(
            (int(one.end_device_lfdi[-1]), int(one.subject[:8]), one.status or 0)
            for one in self.wire.resources(PriceResponse)
        )


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    return made


def prices(event: GridEvent) -> list[tuple[datetime, float]]:
    (signal,) = event.signals
    assert signal.kind is SignalKind.PRICE
    return [(step.interval.start, round(step.value, 9)) for step in signal.series]


@pytest.mark.row("sep2-other:price")
async def test_a_day_of_prices_is_one_event_and_gaps_stay(bench: Bench) -> None:
    for number, hour, price in ((10, 0, 3123), (11, 1, 2000), (13, 3, 1500)):
        bench.server.price(number, hour, price)
    (event,) = await bench.look()
    assert event.program_id == "BEV2"
    assert event.event_id == f"{mrid(2).upper()}/2026-03-04"
    assert event.targets == ("depot-1",)
    assert prices(event) == [(T0, 0.3123), (T0 + HOUR, 0.2), (T0 + 3 * HOUR, 0.15)]
    assert event.signals[0].series.value_at(T0 + 2.5 * HOUR) is None
    assert (event.window.start, event.window.end) == (T0, T0 + 4 * HOUR)
    assert await bench.look() == []


@pytest.mark.row("sep2-other:price-response")
async def test_each_device_answers_for_its_own_intervals() -> None:
    bench = Bench(devices=2)
    bench.view = server_view(
        device_view(bench.settings.devices[0], tariff_profiles=("/tp",)),
        device_view(bench.settings.devices[1]),
    )
    await bench.start()
    bench.server.price(10, 0, 3123)
    await bench.look()
    await bench.look(1.5)
    await bench.look(1)
    assert bench.answers() == [(1, 10, 1), (1, 10, 2), (1, 10, 3)]


async def test_devices_of_one_tariff_share_its_events_and_answer_each() -> None:
    bench = Bench(devices=2)
    await bench.start()
    bench.server.price(10, 0, 3123)
    (event,) = await bench.look()
    assert event.targets == ("depot-1", "depot-2")
    assert bench.answers() == [(1, 10, 1), (2, 10, 1)]


async def test_a_new_price_is_a_modification_and_the_past_stays(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    bench.server.price(11, 1, 2000)
    await bench.look()
    await bench.look(2.2)  # the first is over
    bench.server.drop(10)
    assert await bench.look(0.1) == []
    bench.server.price(12, 2, 1000)
    (event,) = await bench.look(0.1)
    assert event.modification == 1
    assert prices(event) == [(T0, 0.3), (T0 + HOUR, 0.2), (T0 + 2 * HOUR, 0.1)]


async def test_a_cancelled_interval_has_no_price(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    bench.server.price(11, 1, 2000)
    await bench.look()
    off = EventStatus(current_status=2, date_time=T0)
    bench.server.price(11, 1, 2000, event_status=off)
    (event,) = await bench.look()
    assert prices(event) == [(T0, 0.3)]
    assert bench.answers() == [(1, 10, 1), (1, 11, 1), (1, 11, 6)]


async def test_prices_no_longer_listed_are_withdrawn(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    await bench.look()
    bench.server.drop(10)
    await bench.look()
    assert bench.intake.withdrawn == [f"{UTILITY}/{mrid(2).upper()}/2026-03-04"]
    await bench.look()
    assert len(bench.intake.withdrawn) == 1
    bench.server.price(10, 0, 3000)
    (event,) = await bench.look()
    assert event.modification == 1, "what comes back must count as newer"


async def test_a_day_that_is_over_is_forgotten(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    await bench.look()
    bench.server.drop(10)
    await bench.look(3)
    await bench.look()
    assert not [key for key in bench.memory.documents if key[1] == "sep2.PriceDay"]
    assert bench.intake.withdrawn == []


async def test_a_tariff_nobody_is_enrolled_in_is_answered_opt_out(bench: Bench) -> None:
    bench.intake.opt = Opt.OUT
    bench.server.price(10, 0, 3000)
    await bench.look()
    await bench.look(2.5)
    assert bench.answers() == [(1, 10, 1), (1, 10, 4)]


async def test_a_restart_hands_in_nothing_again(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    await bench.look()
    await bench.start()
    assert await bench.look() == []
    assert bench.answers() == [(1, 10, 1)]


async def test_an_interval_without_a_price_is_no_price(bench: Bench) -> None:
    bench.server.price(10, 0, None)
    bench.server.price(11, 1, 2000, consumption_tariff_interval_list_link=None)
    assert await bench.look() == []


async def test_prices_and_types_are_read_once(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    for _ in range(5):
        await bench.look()
    assert bench.server.asked["/rt/in"] == 1
    assert bench.server.asked["/rc/in/tti/10:00/cti/3000"] == 1
    assert bench.server.asked["/rc/in/tti"] > 1


@pytest.mark.parametrize(
    ("multiplier", "scale", "uom", "flow", "factor"),
    [
        (-4, 3, 72, 1, 1e-4),
        (-2, 0, 72, None, 10.0),
        (None, 3, 72, 1, 1.0),
        (0, 6, 72, 1, 1e-3),
        (0, 3, 72, 19, None),
        (0, 3, 38, 1, None),
    ],
)
def test_what_a_price_is_per(
    multiplier: int | None, scale: int, uom: int, flow: int | None, factor: float | None
) -> None:
    profile = TariffProfile(primacy=0, price_power_of_ten_multiplier=multiplier)
    kind = ReadingType(flow_direction=flow, power_of_ten_multiplier=scale, uom=uom)
    assert per_kwh(profile, kind) == (None if factor is None else pytest.approx(factor))
    assert per_kwh(profile, None) is None


async def test_a_list_that_cannot_be_read_after_a_restart_withdraws_nothing(bench: Bench) -> None:
    bench.server.price(10, 0, 3000)
    await bench.look()
    await bench.start()
    bench.server.status["/rc/in/tti"] = 404
    await bench.look()
    assert bench.intake.withdrawn == []
    bench.server.status.clear()
    assert await bench.look(0.3) == []
