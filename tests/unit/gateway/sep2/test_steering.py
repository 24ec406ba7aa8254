"""From what the server shows to what binds the sites, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from contracts.sep2.resources import (
    DERControlResponse,
    EventStatus,
    ModeValue,
    RejectedItem,
    Scaled,
)
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2.view import ServerView
from support.sep2_acting import (
    T0,
    UTILITY,
    default_control,
    der_control,
    device_settings,
    device_view,
    mrid,
    program,
    server_view,
)
from support.sep2_bench import MINUTE, Bench, exports, imports


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    return made


DEVICE = device_settings()


@pytest.mark.row("sep2:15")
@pytest.mark.row("csip:G8")
@pytest.mark.row("csip:G11")
async def test_controls_then_the_default_as_the_open_end(bench: Bench) -> None:
    limits = {**imports(20_000), **exports(0)}
    bench.view = server_view(
        device_view(
            DEVICE,
            program(
                1,
                der_control(1, 10, 20, limits),
                default=default_control({**imports(50_000), **exports(1_500)}),
            ),
        )
    )
    next_look = await bench.follow()
    free = SiteBounds(import_limit_w=50_000.0, export_limit_w=-1_500.0)
    tight = SiteBounds(import_limit_w=20_000.0, export_limit_w=0.0)
    assert bench.told() == [(0, 10, free), (10, 30, tight), (30, None, free)]
    assert next_look == T0 + 10 * MINUTE
    envelope = bench.envelopes.imposed["depot-1"]
    assert envelope.default is not None
    assert envelope.steps[1].cause == (
        "opModExpLimW 0 W, opModImpLimW 20000 W: control "
        f"{mrid(1).upper()} of Group 1 (primacy 1) ('control 1') of {UTILITY}"
    )


async def test_nothing_is_imposed_before_anything_is_known(bench: Bench) -> None:
    assert await bench.follow() is None
    bench.view = server_view()
    await bench.follow(minutes=5)
    assert bench.envelopes.calls == []


@pytest.mark.row("sep2:28")
@pytest.mark.row("csip-test:BASIC-024")
async def test_modes_of_different_programs_bind_together(bench: Bench) -> None:
    bench.view = server_view(
        device_view(
            DEVICE,
            program(1, der_control(1, 0, 30, exports(0))),
            program(5, der_control(2, 0, 30, imports(20_000))),
        )
    )
    await bench.follow()
    both = SiteBounds(import_limit_w=20_000.0, export_limit_w=0.0)
    assert bench.told() == [(0, 30, both)]
    await bench.follow(minutes=30)
    codes = [(control, code) for _, control, code in await bench.send()]
    assert sorted(codes) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]


@pytest.mark.row("csip-test:BASIC-021")
async def test_a_worse_control_known_before_its_start_is_answered_7(bench: Bench) -> None:
    bench.view = server_view(
        device_view(
            DEVICE,
            program(1, der_control(1, 20, 10, imports(1_000))),
            program(5, der_control(2, 10, 40, imports(20_000))),
        )
    )
    await bench.follow()
    assert bench.told() == [(20, 30, SiteBounds(import_limit_w=1_000.0))]
    assert await bench.send() == [(1, 1, 1), (1, 2, 1), (1, 2, 7)]


@pytest.mark.row("sep2:16")
@pytest.mark.row("csip:G6")
async def test_a_new_default_holds_at_once(bench: Bench) -> None:
    for watts in (50_000, 30_000):
        default = default_control(imports(watts))
        bench.view = server_view(device_view(DEVICE, program(1, default=default)))
        await bench.follow(minutes=1)
        assert bench.told()[-1][1:] == (None, SiteBounds(import_limit_w=float(watts)))
    assert await bench.send() == []


@pytest.mark.row("sep2:10")
async def test_windows_are_in_the_servers_time_and_steps_in_ours() -> None:
    bench = Bench(ahead=timedelta(seconds=90))
    await bench.start()
    limits = imports(20_000)
    bench.view = server_view(device_view(DEVICE, program(1, der_control(1, 10, 20, limits))))
    next_look = await bench.follow()
    assert bench.told() == [(8.5, 28.5, SiteBounds(import_limit_w=20_000.0))]
    assert next_look == T0 + 10 * MINUTE
    await bench.follow(minutes=10)
    assert await bench.send() == [(1, 1, 1), (1, 1, 2)]
    assert bench.wire.resources(DERControlResponse)[1].created_date_time == T0 + 10 * MINUTE


async def test_a_clock_that_is_measured_a_little_differently_changes_nothing(bench: Bench) -> None:
    default = default_control(imports(1_000))
    bench.view = server_view(
        device_view(DEVICE, program(1, der_control(1, 10, 20, imports(5)), default=default))
    )
    for jitter in (0.0, 0.4, -0.9, 0.7):
        server_now = bench.clock.now() + timedelta(seconds=jitter)
        await bench.steering.follow(bench.view, server_now)
        await bench.clock.advance(1)
    assert len(bench.envelopes.calls) == 1
    await bench.steering.follow(bench.view, bench.clock.now() + timedelta(seconds=5))
    assert [step[0] for step in bench.told()][1:] == [10 - 5 / 60, 30 - 5 / 60]


async def test_an_unchanged_view_is_no_work(bench: Bench) -> None:
    bench.view = server_view(device_view(DEVICE, program(1, der_control(1, 10, 20, imports(5)))))
    await bench.follow()
    writes = bench.memory.writes
    for _ in range(5):
        await bench.follow(minutes=1)
    assert bench.memory.writes == writes
    assert len(bench.envelopes.calls) == 1


@pytest.mark.row("sep2:33")
@pytest.mark.row("sep2:31")
async def test_what_the_device_cannot_do_is_answered_252_and_253_at_receipt() -> None:
    bench = Bench(device_settings(scope="load"))
    await bench.start()
    bench.view = server_view(
        device_view(
            bench.settings.devices[0],
            program(
                1,
                der_control(1, 0, 30, {"opModMaxLimW": 5_000}),
                der_control(2, 0, 30, {"opModImpLimW": Scaled(value=-5)}),
                der_control(3, -60, 30, imports(5)),
                default=default_control(imports(9_000)),
            ),
        )
    )
    await bench.follow()
    answers = await bench.send()
    assert sorted(answers) == [(1, 1, 1), (1, 1, 252), (1, 2, 1), (1, 2, 253), (1, 3, 254)]
    assert bench.told() == [(0, None, SiteBounds(import_limit_w=9_000.0))]


async def test_a_control_that_cannot_be_read_is_answered_253_once(bench: Bench) -> None:
    garbled = RejectedItem(href="/x", mrid=mrid(7), reply_to="/rsp", reason="no interval")
    mute = RejectedItem(href="/y", mrid=mrid(8), reply_to=None, reason="no interval")
    view = program(1, der_control(1, 0, 5, imports(5)), rejected=[garbled, mute])
    for _ in range(2):
        bench.view = server_view(device_view(DEVICE, view))
        await bench.follow(minutes=0.1)
    await bench.start()
    await bench.follow()
    assert sorted(await bench.send()) == [(1, 1, 1), (1, 1, 2), (1, 7, 253)]


@pytest.mark.row("sep2:30")
@pytest.mark.row("csip-test:UTIL-004")
async def test_every_device_answers_for_itself_and_no_other() -> None:
    devices = tuple(device_settings(n) for n in (1, 2, 3))
    bench = Bench(*devices)
    await bench.start()
    wide, narrow = program(5, der_control(5, 0, 30, imports(9))), program(1)
    bench.view = server_view(
        device_view(devices[0], wide),
        device_view(devices[1], wide),
        device_view(devices[2], narrow),
    )
    await bench.follow()
    assert sorted(await bench.send()) == [(1, 5, 1), (1, 5, 2), (2, 5, 1), (2, 5, 2)]
    assert sorted(bench.envelopes.imposed) == ["depot-1", "depot-2"]


@pytest.mark.row("sep2:27")
async def test_a_cancelled_control_stops_at_once(bench: Bench) -> None:
    control = der_control(1, 0, 30, imports(5))
    bench.view = server_view(device_view(DEVICE, program(1, control)))
    await bench.follow()
    off = EventStatus(current_status=2, date_time=T0)
    cancelled = der_control(1, 0, 30, imports(5), event_status=off)
    bench.view = server_view(device_view(DEVICE, program(1, cancelled)))
    await bench.follow(minutes=3)
    assert bench.told() == []
    assert await bench.send() == [(1, 1, 1), (1, 1, 2), (1, 1, 6)]


@pytest.mark.row("sep2:AU3")
async def test_several_devices_of_one_site_make_one_envelope() -> None:
    site = device_settings(1)
    battery = device_settings(2, sites=("depot-1",), scope="storage")
    bench = Bench(site, battery)
    await bench.start()
    discharge: Mapping[str, ModeValue] = {"opModFixedW": 5_000, **imports(70_000)}
    bench.view = server_view(
        device_view(site, program(1, default=default_control(imports(50_000)))),
        device_view(battery, program(2, der_control(1, 0, 10, discharge))),
    )
    await bench.follow()
    assert bench.told() == [
        (0, 10, SiteBounds(import_limit_w=50_000.0, storage_power_w=-50_000.0)),
        (10, None, SiteBounds(import_limit_w=50_000.0)),
    ]


async def test_an_aggregate_is_split_by_weight() -> None:
    pair = device_settings(1, sites=("depot-1", "depot-2"), weights=(3.0, 1.0))
    bench = Bench(pair)
    await bench.start()
    modes: Mapping[str, ModeValue] = {
        **imports(20_000),
        "opModMaxLimW": 5_000,
        "opModEnergize": False,
    }
    bench.view = server_view(device_view(pair, program(1, der_control(1, 0, 10, modes))))
    await bench.follow()
    told = {
        site: SiteBounds(import_limit_w=watts, generation_limit_w=gen, energize=False)
        for site, watts, gen in (
            ("depot-1", 15_000.0, -75_000.0),
            ("depot-2", 5_000.0, -25_000.0),
        )
    }
    assert {site: bench.told(site)[0][2] for site in told} == told
    assert "for 2 sites together" in bench.envelopes.imposed["depot-2"].steps[0].cause


@pytest.mark.row("csip-test:BASIC-009")
@pytest.mark.row("csip-test:BASIC-010")
@pytest.mark.parametrize(
    ("default", "event", "free", "bound"),
    [
        (
            {"opModEnergize": True},
            {"opModEnergize": False},
            SiteBounds(energize=True),
            SiteBounds(energize=False),
        ),
        (
            {"opModMaxLimW": 10_000},
            {"opModMaxLimW": 2_500},
            SiteBounds(generation_limit_w=-200_000.0),
            SiteBounds(generation_limit_w=-50_000.0),
        ),
    ],
    ids=["energize", "max lim W"],
)
async def test_default_start_respond_end_default(
    bench: Bench,
    default: dict[str, ModeValue],
    event: dict[str, ModeValue],
    free: SiteBounds,
    bound: SiteBounds,
) -> None:
    controls = der_control(1, 5, 10, event)
    bench.view = server_view(
        device_view(DEVICE, program(1, controls, default=default_control(default)))
    )
    await bench.follow()
    assert [step[2] for step in bench.told()] == [free, bound, free]
    await bench.follow(minutes=5)
    await bench.follow(minutes=10)
    assert await bench.send() == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]


@pytest.mark.row("sep2:12")
@pytest.mark.row("csip:G10")
@pytest.mark.row("csip-test:BASIC-015")
async def test_24_events_queued_and_the_rest_cancelled(bench: Bench) -> None:
    def listed(done: int) -> ServerView:
        off = EventStatus(current_status=2, date_time=T0)
        controls = [
            der_control(
                n, 10 * n, 10, imports(n * 100), **({"event_status": off} if done < n else {})
            )
            for n in range(1, 25)
        ]
        return server_view(device_view(DEVICE, program(1, *reversed(controls))))

    bench.view = listed(24)
    await bench.follow()
    assert [step[2].import_limit_w for step in bench.told()] == [n * 100.0 for n in range(1, 25)]
    await bench.follow(minutes=10)
    await bench.follow(minutes=10)
    bench.view = listed(2)
    await bench.follow(minutes=1)
    assert [step[2].import_limit_w for step in bench.told()] == [200.0]
    await bench.follow(minutes=10)
    answers = await bench.send()
    assert [code for _, n, code in answers if n <= 2].count(3) == 2
    assert sorted(n for _, n, code in answers if code == 6) == list(range(3, 25))
    assert len(answers) == 24 + 2 * 2 + 22


@pytest.mark.row("csip-test:CORE-013")
async def test_ten_programs_with_ten_controls_each(bench: Bench) -> None:
    programs = [
        program(
            rank,
            *(
                der_control(rank * 100 + n, 10 * (rank + 10 * n), 5, imports(rank * 100 + n))
                for n in range(10)
            ),
            default=default_control(imports(rank * 10_000)),
        )
        for rank in range(1, 11)
    ]
    bench.view = server_view(device_view(DEVICE, *programs))
    await bench.follow()
    steps = bench.told()
    limits = [bounds.import_limit_w for _, _, bounds in steps]
    wanted = [rank * 100.0 + n for n in range(10) for rank in range(1, 11)]
    assert limits[1::2] == wanted
    assert set(limits[::2]) == {10_000.0}
    assert steps[-1][1] is None


async def test_ramps_are_carried_and_bind_nothing(bench: Bench) -> None:
    ramps = default_control({}, set_grad_w=100, set_soft_grad_w=200)
    bench.view = server_view(device_view(DEVICE, program(1, default=ramps)))
    await bench.follow()
    assert bench.envelopes.calls == []
    state = bench.outbox.state(f"device/{DEVICE.lfdi}")
    assert isinstance(state, dict)
    assert state["defaults"][0]["modes"] == {"setGradW": 100, "setSoftGradW": 200}
