"""Alarms come in pairs, each once, over restarts and late news."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.sep2.codes import DerAlarm
from contracts.sep2.resources import LogEvent
from contracts.site_link.messages import Notice, Severity
from contracts.testing import FakeClock
from gateway.utility.sep2.alarms import LOOK_BACK, Alarms
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import DeviceSettings
from support.sep2_acting import (
    T0,
    UTILITY,
    FragileMemory,
    PowerCutError,
    Sites,
    XmlWire,
    device_settings,
    device_view,
    running,
    sep2_settings,
    server_view,
)

MINUTE = timedelta(minutes=1)


def notice(minutes: float, code: str, subject: str = "x1", *, raised: bool = True) -> Notice:
    return Notice(
        at=T0 + minutes * MINUTE,
        code=code,
        subject=subject,
        severity=Severity.ALARM if raised else Severity.INFO,
        raised=raised,
        text="words",
    )


class Bench:
    def __init__(self, *devices: DeviceSettings) -> None:
        self.settings = sep2_settings(*devices)
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.wire = XmlWire()
        self.sites = Sites()
        self.view = server_view(
            *(device_view(one, log_events=f"/lel/{one.lfdi[-1]}") for one in self.settings.devices)
        )

    async def start(self) -> None:
        memory = Sep2Memory(self.memory, UTILITY)
        self.outbox = Sep2Outbox(memory, self.wire, self.wire, self.clock)
        await self.outbox.restore()
        self.alarms = Alarms(self.settings, self.sites, self.outbox, self.clock)
        self.alarms.restore()

    async def tell(self, *, minutes: float = 1) -> list[LogEvent]:
        await self.clock.advance(minutes * 60)
        await self.alarms.tell(self.view, self.clock.now())
        async with running(self.outbox.run()):
            await self.clock.advance(2)
        return self.wire.resources(LogEvent)

    def note(self, *notices: Notice, site: str = "depot-1") -> None:
        self.sites.told += [(site, one) for one in notices]


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    await made.tell(minutes=0)
    return made


def codes(events: list[LogEvent]) -> list[tuple[int, int]]:
    return [(one.function_set, one.log_event_code) for one in events]


@pytest.mark.row("sep2:38")
@pytest.mark.row("csip:G31")
async def test_raised_and_back_to_normal(bench: Bench) -> None:
    bench.note(notice(1, "limit-not-obeyed"))
    assert codes(await bench.tell()) == [(11, 0)]
    assert bench.alarms.standing(bench.settings.devices[0].lfdi) == {DerAlarm.OVER_CURRENT}
    bench.note(notice(2, "limit-not-obeyed", raised=False))
    events = await bench.tell()
    assert codes(events) == [(11, 0), (11, 1)]
    assert bench.alarms.standing(bench.settings.devices[0].lfdi) == frozenset()
    assert [one.created_date_time for one in events] == [T0 + MINUTE, T0 + 2 * MINUTE]
    assert [one.log_event_id for one in events] == [0, 1]
    assert {(one.profile_id, one.log_event_pen) for one in events} == {(2, 40732)}
    assert [one.details for one in events] == ["limit-not-obeyed x1", "over: limit-not-obeyed x1"]


@pytest.mark.row("csip-test:BASIC-027")
async def test_what_the_standard_has_no_code_for_is_a_general_software_event(bench: Bench) -> None:
    bench.note(notice(1, "meter-stale", "root"), notice(1, "charger-offline", "ß" * 90))
    events = await bench.tell()
    assert codes(events) == [(0, 1), (0, 1)]
    assert all(len(one.details or "") <= 32 for one in events)


async def test_the_fleets_own_matters_stay_here(bench: Bench) -> None:
    bench.note(notice(1, "departure-at-risk", "van-7"))
    assert await bench.tell() == []


async def test_each_once_however_often_it_is_read_and_told(bench: Bench) -> None:
    bench.note(notice(1, "meter-stale"), notice(1, "meter-stale"), notice(1.5, "meter-stale"))
    for _ in range(3):
        await bench.tell()
    await bench.start()
    for _ in range(3):
        await bench.tell()
    assert len(await bench.tell()) == 1
    bench.note(notice(9, "meter-stale", raised=False), notice(9.5, "meter-stale"))
    assert len(await bench.tell()) == 3


async def test_what_was_never_raised_is_never_over(bench: Bench) -> None:
    bench.note(notice(1, "meter-stale", raised=False))
    assert await bench.tell() == []


async def test_nothing_from_before_the_first_start(bench: Bench) -> None:
    bench.note(notice(-5, "meter-stale"))
    assert await bench.tell() == []


async def test_late_news_of_a_site_that_was_cut_off(bench: Bench) -> None:
    await bench.tell(minutes=12 * 60)
    bench.note(notice(30, "meter-stale"), notice(60, "meter-stale", raised=False))
    for _ in range(6):
        events = await bench.tell()
    assert [one.created_date_time for one in events] == [T0 + 30 * MINUTE, T0 + 60 * MINUTE]


async def test_news_older_than_a_day_are_not_passed_on(bench: Bench) -> None:
    await bench.tell(minutes=LOOK_BACK / MINUTE + 30)
    bench.note(notice(1, "meter-stale"))
    for _ in range(6):
        assert await bench.tell() == []


async def test_each_device_hears_of_its_own_sites_and_parts() -> None:
    bench = Bench(
        device_settings(1),
        device_settings(2, sites=("depot-1",), scope="storage"),
        device_settings(3, sites=("depot-1",), scope="load"),
        device_settings(4, sites=("depot-4",)),
    )
    await bench.start()
    await bench.tell(minutes=0)
    bench.note(notice(1, "battery-offline"), notice(1, "charger-offline"), notice(1, "meter-stale"))
    await bench.tell()
    told = [(href[-1], one.details) for href, one in bench.wire.sent(LogEvent)]
    words = {name: f"{name} x1" for name in ("battery-offline", "charger-offline", "meter-stale")}
    assert sorted(told) == sorted(
        [("1", words[name]) for name in words]
        + [("2", words["battery-offline"]), ("2", words["meter-stale"])]
        + [("3", words["charger-offline"]), ("3", words["meter-stale"])]
    )


async def test_a_server_without_log_events_hears_nothing_and_later_the_last_day(
    bench: Bench,
) -> None:
    with_list, bench.view = bench.view, server_view(device_view(bench.settings.devices[0]))
    bench.note(notice(1, "meter-stale"))
    assert await bench.tell() == []
    bench.view = with_list
    assert len(await bench.tell(minutes=6)) == 1


@pytest.mark.parametrize("die_at", range(2, 7))
async def test_a_kill_neither_loses_nor_doubles(die_at: int) -> None:
    bench = Bench()
    await bench.start()
    await bench.tell(minutes=0)
    bench.note(notice(1, "limit-not-obeyed"))
    bench.memory.die_at = die_at

    async def life() -> None:
        await bench.tell()
        bench.note(notice(2, "limit-not-obeyed", raised=False))
        await bench.tell()

    try:
        await life()
    except* PowerCutError:
        await bench.start()
        await life()
    assert codes(await bench.tell()) == [(11, 0), (11, 1)]


async def test_an_unreadable_state_begins_anew(bench: Bench) -> None:
    bench.note(notice(1, "meter-stale"))
    await bench.tell()
    for document in bench.memory.documents.values():
        assert isinstance(document, dict)
        document["state"] = "nonsense"
    await bench.start()
    bench.note(notice(9, "meter-stale"))
    await bench.tell()
    assert len(await bench.tell(minutes=9)) == 2
