"""Events beside DER controls: what is answered, when, and once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.sep2.resources import (
    DateTimeInterval,
    DrResponse,
    EndDeviceControl,
    EventStatus,
    Response,
)
from contracts.testing import FakeClock
from gateway.utility.sep2.event_answers import REMEMBER, EventAnswers, effective
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from support.sep2_acting import (
    T0,
    UTILITY,
    FragileMemory,
    PowerCutError,
    XmlWire,
    mrid,
    running,
    sep2_settings,
)

MINUTE = timedelta(minutes=1)
LFDI = "A" * 40


def event(
    number: int = 1, start: float = 0, minutes: float = 30, status: int = 0, **more: object
) -> EndDeviceControl:
    fields: dict[str, object] = {
        "mrid": mrid(number),
        "reply_to": "/rsp",
        "response_required": 3,
        "creation_time": T0,
        "event_status": EventStatus(current_status=status, date_time=T0),
        "interval": DateTimeInterval(start=T0 + start * MINUTE, duration=minutes * MINUTE),
    }
    return EndDeviceControl(**(fields | more))  # type: ignore[arg-type]


class Bench:
    def __init__(self, **more: object) -> None:
        self.settings = sep2_settings(**more)
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.wire = XmlWire()

    async def start(self) -> None:
        outbox = Sep2Outbox(Sep2Memory(self.memory, UTILITY), self.wire, self.wire, self.clock)
        await outbox.restore()
        self.outbox = outbox
        self.answers = EventAnswers("drlc", DrResponse, self.settings, outbox)
        self.answers.restore()

    async def at(
        self, minutes: float, *listed: EndDeviceControl, refused: Mapping[str, int] | None = None
    ) -> list[tuple[int, int]]:
        """(control, code) of all that has arrived by then."""
        await self.clock.advance(max(0.0, minutes * 60 - self.clock.monotonic()))
        await self.answers.answer(LFDI, listed, refused or {}, self.clock.now())
        async with running(self.outbox.run()):
            await self.clock.advance(1)
        return [(int(one.subject[:8]), one.status or 0) for one in self.wire.resources(Response)]


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    return made


async def test_received_started_completed(bench: Bench) -> None:
    assert await bench.at(0, event(start=10)) == [(1, 1)]
    assert await bench.at(9, event(start=10)) == [(1, 1)]
    assert await bench.at(11, event(start=10)) == [(1, 1), (1, 2)]
    assert await bench.at(41, event(start=10)) == [(1, 1), (1, 2), (1, 3)]
    assert await bench.at(90, event(start=10)) == [(1, 1), (1, 2), (1, 3)]
    assert bench.wire.sent(DrResponse)[0][0] == "/rsp"
    times = [one.created_date_time for one in bench.wire.resources(DrResponse)]
    assert times == [T0, T0 + 10 * MINUTE, T0 + 40 * MINUTE]


@pytest.mark.parametrize(
    ("status", "code"), [(2, 6), (3, 6), (4, 7)], ids=["cancelled", "with tail", "superseded"]
)
async def test_called_off(bench: Bench, status: int, code: int) -> None:
    known = [(1, 1), (2, 1), (2, 2)]
    assert sorted(await bench.at(0, event(start=10), event(2))) == known
    off = [event(start=10, status=status), event(2, status=status)]
    assert sorted(await bench.at(5, *off)) == sorted([*known, (1, code), (2, code)])
    assert len(await bench.at(60, *off)) == 5


async def test_over_before_it_was_received(bench: Bench) -> None:
    late = await bench.at(60, event(minutes=5), event(2, minutes=5))
    assert sorted(late) == [(1, 254), (2, 254)]


async def test_refused_at_receipt(bench: Bench) -> None:
    refused = {mrid(1).upper(): 252}
    assert await bench.at(0, event(), refused=refused) == [(1, 1), (1, 252)]
    assert await bench.at(40, event(), refused=refused) == [(1, 1), (1, 252)]


async def test_no_longer_listed_goes_on_and_is_forgotten(bench: Bench) -> None:
    await bench.at(0, event())
    assert await bench.at(31) == [(1, 1), (1, 2), (1, 3)]
    assert bench.answers.seen(LFDI, mrid(1)) is not None
    await bench.at(32 + REMEMBER / MINUTE)
    assert bench.answers.seen(LFDI, mrid(1)) is None


async def test_no_longer_listed_is_a_cancellation_in_2023() -> None:
    bench = Bench(edition="2023")
    await bench.start()
    await bench.at(0, event())
    assert await bench.at(5) == [(1, 1), (1, 2), (1, 6)]


@pytest.mark.parametrize(("required", "codes"), [(0, []), (1, [1]), (2, [2, 3]), (3, [1, 2, 3])])
async def test_only_what_is_wanted(bench: Bench, required: int, codes: list[int]) -> None:
    wanted = event(response_required=required)
    await bench.at(0, wanted, event(2, reply_to=None))
    assert [code for _, code in await bench.at(31, wanted)] == codes


async def test_codes_the_utility_does_not_take_are_withheld() -> None:
    bench = Bench(response_codes=frozenset({1, 2, 3, 6, 7}))
    await bench.start()
    assert await bench.at(60, event(minutes=5)) == []


async def test_randomisation_moves_the_event_and_its_answers(bench: Bench) -> None:
    late = event(randomize_start=timedelta(seconds=600), randomize_duration=timedelta(seconds=60))
    window = effective(late, LFDI)
    assert T0 <= window.start <= T0 + 10 * MINUTE
    assert effective(late, LFDI) == window
    assert len({effective(late, str(n)).start for n in range(20)}) > 5
    await bench.at(0, late)
    await bench.at(60, late)
    times = [one.created_date_time for one in bench.wire.resources(DrResponse)]
    assert times == [T0, window.start, window.end]


@pytest.mark.parametrize("die_at", range(1, 8))
async def test_a_kill_neither_loses_nor_doubles(die_at: int) -> None:
    bench = Bench()
    await bench.start()
    bench.memory.die_at = die_at
    for minutes in (0.0, 11.0, 41.0):
        try:
            await bench.at(minutes, event(start=10))
        except* PowerCutError:
            await bench.start()
            await bench.at(minutes, event(start=10))
    assert await bench.at(50, event(start=10)) == [(1, 1), (1, 2), (1, 3)]


async def test_an_edited_event_is_still_the_same(bench: Bench) -> None:
    await bench.at(0, event())
    longer = replace(event(), interval=DateTimeInterval(start=T0, duration=90 * MINUTE))
    assert await bench.at(31, longer) == [(1, 1), (1, 2), (1, 3)]
