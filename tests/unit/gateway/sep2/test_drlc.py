"""Load control: what it means to a depot, what is refused, how it is answered."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from contracts.sep2.resources import (
    ApplianceLoadReduction,
    DateTimeInterval,
    DemandResponseProgram,
    DemandResponseProgramList,
    DrResponse,
    DutyCycle,
    EndDevice,
    EndDeviceControl,
    EndDeviceControlList,
    EventStatus,
    ListLink,
    Offset,
    SetPoint,
    TargetReduction,
)
from contracts.testing import FakeClock
from gateway.domain.event import GridEvent, Opt, SignalKind
from gateway.utility.sep2.drlc import LoadControl, UnusableControlError, meaning
from gateway.utility.sep2.event_answers import EventAnswers
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.polled import Polled
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

MINUTE = timedelta(minutes=1)
KW = TargetReduction(type=1, value=50)


def control(
    number: int = 1, start: float = 10, minutes: float = 30, status: int = 0, **more: object
) -> EndDeviceControl:
    fields: dict[str, object] = {
        "href": f"/edc/{number}",
        "mrid": mrid(number),
        "reply_to": "/rsp",
        "response_required": 3,
        "creation_time": T0,
        "event_status": EventStatus(current_status=status, date_time=T0),
        "interval": DateTimeInterval(start=T0 + start * MINUTE, duration=minutes * MINUTE),
        "device_category": 0,
        "target_reduction": KW,
    }
    return EndDeviceControl(**(fields | more))  # type: ignore[arg-type]


MEANINGS: list[tuple[dict[str, object], SignalKind, float]] = [
    ({"target_reduction": KW}, SignalKind.DELTA_W, -50_000.0),
    ({"target_reduction": TargetReduction(type=2, value=500)}, SignalKind.DELTA_W, -500.0),
    ({"target_reduction": TargetReduction(type=0, value=10)}, SignalKind.DELTA_W, -20_000.0),
    ({"duty_cycle": DutyCycle(normal_value=100)}, SignalKind.LEVEL, 0.0),
    ({"duty_cycle": DutyCycle(normal_value=70)}, SignalKind.LEVEL, 1.0),
    ({"duty_cycle": DutyCycle(normal_value=50)}, SignalKind.LEVEL, 2.0),
    ({"duty_cycle": DutyCycle(normal_value=0)}, SignalKind.LEVEL, 3.0),
    ({"offset": Offset(load_adjustment_percentage_offset=0)}, SignalKind.LEVEL, 0.0),
    ({"offset": Offset(load_adjustment_percentage_offset=3300)}, SignalKind.LEVEL, 1.0),
    ({"offset": Offset(load_adjustment_percentage_offset=10_000)}, SignalKind.LEVEL, 3.0),
]


@pytest.mark.row("sep2-other:drlc")
@pytest.mark.parametrize(("fields", "kind", "value"), MEANINGS)
def test_what_a_control_asks(fields: dict[str, object], kind: SignalKind, value: float) -> None:
    asked = control(**({"target_reduction": None} | fields))  # type: ignore[arg-type]
    assert meaning(asked, 1) == (kind, value)
    per_device = kind is SignalKind.DELTA_W
    assert meaning(asked, 3) == (kind, 3 * value if per_device else value)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 252),
        ({"offset": Offset(cooling_offset=20)}, 252),
        ({"set_point": SetPoint(cooling_setpoint=2400)}, 252),
        ({"appliance_load_reduction": ApplianceLoadReduction(type=0)}, 252),
        ({"target_reduction": TargetReduction(type=12, value=5)}, 252),
        ({"target_reduction": KW, "load_shift_forward": True}, 252),
        ({"duty_cycle": DutyCycle(normal_value=101)}, 253),
        ({"offset": Offset(load_adjustment_percentage_offset=10_001)}, 253),
        ({"target_reduction": TargetReduction(type=0, value=5), "minutes": 0}, 253),
    ],
)
def test_what_a_depot_cannot_do(fields: dict[str, object], code: int) -> None:
    asked = control(**({"target_reduction": None} | fields))  # type: ignore[arg-type]
    with pytest.raises(UnusableControlError) as caught:
        meaning(asked, 1)
    assert caught.value.code == code


class Bench:
    def __init__(self, devices: int = 1, **more: object) -> None:
        self.settings = sep2_settings(
            *(device_settings(n + 1) for n in range(devices)), poll_s=30, **more
        )
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.server = TreeServer()
        self.server.resources["/drp"] = DemandResponseProgramList(
            items=(
                DemandResponseProgram(
                    href="/drp/1",
                    mrid=mrid(90),
                    description="Summer saver",
                    primacy=4,
                    end_device_control_list_link=ListLink(href="/drp/1/edc"),
                ),
            )
        )
        self.wire = XmlWire()
        self.intake = RecordingIntake()
        self.view = server_view(
            *(device_view(one, demand_response_programs=("/drp",)) for one in self.settings.devices)
        )

    async def start(self) -> None:
        memory = Sep2Memory(self.memory, UTILITY)
        self.outbox = Sep2Outbox(memory, self.wire, self.wire, self.clock)
        await self.outbox.restore()
        polled = Polled(self.settings, self.server.transport(self.settings), self.clock)
        answers = EventAnswers("drlc", DrResponse, self.settings, self.outbox, seed=UTILITY)
        self.drlc = LoadControl(self.settings, polled, answers, self.intake, memory, self.clock)
        await self.drlc.restore()

    async def at(self, minutes: float, *listed: EndDeviceControl) -> list[GridEvent]:
        """What is handed in then."""
        self.server.resources["/drp/1/edc"] = EndDeviceControlList(items=listed)
        await self.clock.advance(max(0.0, minutes * 60 - self.clock.monotonic()))
        before = len(self.intake.received)
        work = asyncio.ensure_future(self.drlc.tell(self.view, self.clock.now()))
        while not work.done():
            await self.clock.advance(0.001)
        work.result()
        async with running(self.outbox.run()):
            await self.clock.advance(1)
        return self.intake.received[before:]

    def answers(self) -> list[tuple[int, int, int]]:
        return sorted(
            (int(one.end_device_lfdi[-1]), int(one.subject[:8]), one.status or 0)
            for one in self.wire.resources(DrResponse)
        )


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    return made


@pytest.mark.row("sep2-other:drlc")
async def test_a_load_event_from_receipt_to_end(bench: Bench) -> None:
    (event,) = await bench.at(0, control(description="hot day"))
    assert event.event_id == mrid(1).upper()
    assert (event.program_id, event.priority, event.comment) == ("Summer saver", 5, "hot day")
    assert event.targets == ("depot-1",)
    assert (event.window.start, event.window.end) == (T0 + 10 * MINUTE, T0 + 40 * MINUTE)
    assert event.signals[0].series.value_at(event.window.start) == -50_000.0
    for minutes in (5, 11, 41, 60):
        assert await bench.at(minutes, control(description="hot day")) == []
    assert bench.answers() == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]


async def test_one_event_for_all_devices_and_an_answer_of_each() -> None:
    bench = Bench(devices=3)
    await bench.start()
    (event,) = await bench.at(0, control(start=0))
    assert event.targets == ("depot-1", "depot-2", "depot-3")
    assert event.signals[0].series.value_at(T0) == -150_000.0
    assert bench.answers() == [(n, 1, code) for n in (1, 2, 3) for code in (1, 2)]


async def test_devices_of_another_kind_are_left_out() -> None:
    bench = Bench(devices=2)
    await bench.start()
    one, two = bench.settings.devices
    bench.view = server_view(
        device_view(one, demand_response_programs=("/drp",)),
        device_view(
            two,
            demand_response_programs=("/drp",),
            end_device=EndDevice(lfdi=two.lfdi, device_category=1 << 21),
        ),
    )
    (event,) = await bench.at(0, control(device_category=1 << 17))
    assert event.targets == ("depot-1",)
    assert bench.answers() == [(1, 1, 1)]


@pytest.mark.parametrize(("status", "code"), [(2, 6), (4, 7)])
async def test_called_off(bench: Bench, status: int, code: int) -> None:
    await bench.at(0, control())
    (event,) = await bench.at(15, control(status=status))
    assert (event.cancelled, event.modification) == (True, 1)
    assert await bench.at(20, control(status=status)) == []
    assert bench.answers() == [(1, 1, 1), (1, 1, 2), (1, 1, code)]


async def test_what_cannot_be_done_is_refused_and_not_handed_in(bench: Bench) -> None:
    refused = [
        control(1, target_reduction=None),
        control(2, target_reduction=None, duty_cycle=DutyCycle(normal_value=200)),
        control(3, minutes=0),
    ]
    for minutes in (0, 15):
        assert await bench.at(minutes, *refused) == []
    assert bench.answers() == [
        *((1, 1, 1), (1, 1, 252), (1, 2, 1), (1, 2, 253), (1, 3, 1), (1, 3, 253))
    ]


async def test_the_intakes_no_is_an_opt_out(bench: Bench) -> None:
    bench.intake.opt = Opt.OUT
    await bench.at(0, control())
    await bench.at(45, control())
    assert bench.answers() == [(1, 1, 1), (1, 1, 4)]


async def test_over_before_it_was_seen(bench: Bench) -> None:
    assert await bench.at(60, control()) == []
    assert bench.answers() == [(1, 1, 254)]


async def test_an_edit_is_a_modification(bench: Bench) -> None:
    await bench.at(0, control())
    (event,) = await bench.at(1, control(target_reduction=TargetReduction(type=1, value=80)))
    assert event.modification == 1
    assert event.signals[0].series.value_at(event.window.start) == -80_000.0


@pytest.mark.parametrize(("edition", "withdrawn"), [("2018", 0), ("2023", 1)])
async def test_no_longer_listed(edition: str, withdrawn: int) -> None:
    bench = Bench(edition=edition)
    await bench.start()
    await bench.at(0, control())
    await bench.at(15)
    await bench.at(16)
    assert len(bench.intake.withdrawn) == withdrawn
    again = await bench.at(17, control())
    assert [one.modification for one in again] == [1] * withdrawn, "it must count as newer"
    await bench.at(45)
    assert not [key for key in bench.memory.documents if key[1] == "sep2.HandedIn"]


async def test_a_restart_hands_in_nothing_again(bench: Bench) -> None:
    await bench.at(0, control())
    await bench.start()
    assert await bench.at(15, control()) == []
    assert bench.answers() == [(1, 1, 1), (1, 1, 2)]


@pytest.mark.row("sep2-other:drlc-store")
async def test_three_controls_of_a_day_each(bench: Bench) -> None:
    day = 24 * 60
    controls = [control(n, start=n * day, minutes=day) for n in (1, 2, 3)]
    assert len(await bench.at(0, *controls)) == 3
    assert bench.answers() == [(1, n, 1) for n in (1, 2, 3)]


async def test_a_random_start_is_that_of_the_event_and_of_its_answers() -> None:
    bench = Bench(devices=2)
    await bench.start()
    late = control(start=0, randomize_start=timedelta(seconds=300))
    (event,) = await bench.at(0, late)
    assert T0 < event.window.start <= T0 + 5 * MINUTE
    await bench.at(6, late)
    started = [one for one in bench.wire.resources(DrResponse) if one.status == 2]
    assert [one.created_date_time for one in started] == [event.window.start] * 2


async def test_a_list_that_cannot_be_read_after_a_restart_cancels_nothing() -> None:
    bench = Bench(edition="2023")
    await bench.start()
    await bench.at(0, control())
    await bench.start()
    bench.server.status["/drp/1/edc"] = 404
    await bench.at(15)
    assert bench.intake.withdrawn == []
    assert bench.answers() == [(1, 1, 1), (1, 1, 2)]
